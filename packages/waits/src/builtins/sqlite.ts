import { countSync, recorderOutsideDrivers } from '../observe.ts'
import { patch, type Target } from '../patch.ts'
import { normaliseSql } from '../statement.ts'

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
  patchMethod(sqlite.DatabaseSync.prototype, 'exec', (_self, args) => String(args[0]))
  for (const name of ['all', 'get', 'run', 'iterate']) {
    patchMethod(sqlite.StatementSync.prototype, name, self => String((self as { sourceSQL: string }).sourceSQL))
  }
}

function patchMethod (target: Target, name: string, sqlOf: (self: unknown, args: unknown[]) => string): void {
  patch(target, name, original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const start = { kind: 'sql', statement: normaliseSql(sqlOf(this, args)), target: 'sqlite', driver: 'node:sqlite', values: args } as const
    return countSync(recorder, start, original, this, args, rows)
  })
}

function rows (answer: unknown): { rows?: number } {
  return Array.isArray(answer) ? { rows: answer.length } : {}
}

function loadedModules (): readonly string[] {
  return (process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList
}
