import { countSync, recorderOutsideDrivers } from '../observe.ts'
import { OftenCalledStatements } from '../often-called.ts'
import { patch, patchClassOf } from '../patch.ts'
import { normaliseSql } from '../statement.ts'

interface Database {
  readonly name?: string
}

interface Statement {
  readonly source?: string
  readonly database?: Database
}

const DRIVER = { kind: 'sql', driver: 'better-sqlite3' } as const

/**
 * `better-sqlite3`: blocks the thread, and is counted. The class of its statements is native and not exported; the first statement shows it.
 */
export function patchBetterSqlite3 (Database: { prototype: object }): void {
  patch(Database.prototype, 'exec', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const { name = 'sqlite' } = this as Database
    return countSync(recorder, { ...DRIVER, statement: normaliseSql(String(args[0])), target: name, values: args }, original, this, args)
  })
  patch(Database.prototype, 'prepare', original => function (...args: unknown[]) {
    const statement = Reflect.apply(original, this, args) as object
    patchClassOf(statement, patchStatements)
    return statement
  })
}

function patchStatements (prototype: object): void {
  for (const name of ['all', 'get', 'run', 'iterate']) {
    const statements = new OftenCalledStatements(DRIVER.driver, describe)
    patch(prototype, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      return recorder.countOften(statements.of(this as object), original, this, args, name === 'run' ? changes : rows)
    })
  }
}

function describe ({ source = '', database: { name = 'sqlite' } = {} }: Statement): { text: string, target: string } {
  return { text: source, target: name }
}

function rows (answer: unknown): number | undefined {
  return Array.isArray(answer) ? answer.length : undefined
}

/** Of `run` only: a row may have a column of that name. */
function changes (answer: unknown): number | undefined {
  const { changes } = (answer ?? {}) as { changes?: unknown }
  return typeof changes === 'number' ? changes : undefined
}
