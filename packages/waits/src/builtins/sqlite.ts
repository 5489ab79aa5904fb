import { countSync, recorderOutsideDrivers } from '../observe.ts'
import { OftenCalledStatements } from '../often-called.ts'
import { patch } from '../patch.ts'
import { normaliseSql } from '../statement.ts'

const DRIVER = 'node:sqlite'
const TARGET = 'sqlite'

let done = false

interface Sqlite {
  readonly DatabaseSync: { prototype: object }
  readonly StatementSync: { prototype: object }
}

/**
 * `node:sqlite`: blocks the thread, and is counted. Only where the app has loaded it: to load it prints a warning, and Node 20 doesn't have it.
 * Its classes' methods are found on their prototypes however the app came by them.
 */
export function patchSqlite (): void {
  if (done || !loadedModules().includes('NativeModule sqlite')) return
  done = true
  const sqlite = process.getBuiltinModule('node:sqlite') as Sqlite
  patch(sqlite.DatabaseSync.prototype, 'exec', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    return countSync(recorder, { kind: 'sql', statement: normaliseSql(String(args[0])), target: TARGET, driver: DRIVER, values: args }, original, this, args)
  })
  for (const name of ['all', 'get', 'run', 'iterate']) {
    const statements = new OftenCalledStatements(DRIVER, describe)
    patch(sqlite.StatementSync.prototype, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      return recorder.countOften(statements.of(this as object), original, this, args, rows)
    })
  }
}

function describe ({ sourceSQL }: { sourceSQL: string }): { text: string, target: string } {
  return { text: sourceSQL, target: TARGET }
}

function rows (answer: unknown): number | undefined {
  return Array.isArray(answer) ? answer.length : undefined
}

function loadedModules (): readonly string[] {
  return (process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList
}
