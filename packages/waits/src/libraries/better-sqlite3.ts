import { countSync, recorderOutsideDrivers, type Size } from '../observe.ts'
import { patch } from '../patch.ts'
import { normaliseSql } from '../statement.ts'

interface Statement {
  readonly source?: string
  readonly database?: { readonly name?: string }
}

const patched = new WeakSet<object>()

/**
 * `better-sqlite3`: blocks the thread, and is counted. The class of its statements is native and not exported; the first statement shows it.
 */
export function patchBetterSqlite3 (Database: { prototype: object }): void {
  patch(Database.prototype, 'exec', original => function (...args: unknown[]) {
    return count(original, this, args, String(args[0]), (this as { name?: string }).name, () => ({}))
  })
  patch(Database.prototype, 'prepare', original => function (...args: unknown[]) {
    const statement = Reflect.apply(original, this, args) as object
    patchStatements(Object.getPrototypeOf(statement) as object)
    return statement
  })
}

function patchStatements (prototype: object): void {
  if (patched.has(prototype)) return
  patched.add(prototype)
  for (const name of ['all', 'get', 'run', 'iterate']) {
    patch(prototype, name, original => function (...args: unknown[]) {
      const { source = '', database } = this as Statement
      return count(original, this, args, source, database?.name, rows)
    })
  }
}

function count (original: Function, self: unknown, args: unknown[], sql: string, target: string | undefined, measure: (answer: unknown) => Size): unknown {
  const recorder = recorderOutsideDrivers()
  if (recorder === undefined) return Reflect.apply(original, self, args)
  const start = { kind: 'sql', statement: normaliseSql(sql), target: target ?? 'sqlite', driver: 'better-sqlite3', values: args } as const
  return countSync(recorder, start, original, self, args, measure)
}

function rows (answer: unknown): Size {
  if (Array.isArray(answer)) return { rows: answer.length }
  const { changes } = (answer ?? {}) as { changes?: unknown }
  return typeof changes === 'number' ? { rows: changes } : {}
}
