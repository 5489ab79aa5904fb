import type { Asked } from '../live/connections.ts'
import { closeWithCallback, recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'
import { normaliseSql } from '../statement.ts'
import type { WaitStart } from '../wait-log.ts'

interface Connection {
  readonly _command?: Query | null
  readonly config?: { readonly host?: string, readonly port?: number, readonly database?: string }
}

interface Query {
  readonly sql?: string
  readonly values?: unknown
}

/** `mysql2`: its promises are made of these callbacks. */
export function patchMysql2 (Connection: { prototype: object }): void {
  for (const name of ['query', 'execute']) {
    patch(Connection.prototype, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      const at = args.findLastIndex(argument => typeof argument === 'function')
      // A query that is read by its events: they end it, but nothing tells them apart from outside.
      if (recorder === undefined || at < 0) return Reflect.apply(original, this, args)
      const query = (typeof args[0] === 'string' ? { sql: args[0], values: at > 1 ? args[1] : undefined } : args[0] ?? {}) as Query
      if (recorder.passes(normaliseSql(String(query.sql ?? '')), this as Connection, activeCommand)) return Reflect.apply(original, this, args)
      const record = recorder.record(true)
      const wait = recorder.open(record, { ...describe(this as Connection, query), values: [query.sql, query.values], parameters: query.values !== undefined })
      const answer = closeWithCallback(recorder, record, wait, args[at] as Function, rows)
      const command = recorder.call(record, original, this, args.with(at, answer))
      recorder.noted(command as Query)
      return command
    })
  }
}

function describe ({ config }: Connection, { sql }: Query): WaitStart {
  const { host = 'localhost', port = 3306, database = '' } = config ?? {}
  return { kind: 'sql', statement: normaliseSql(String(sql ?? '')), target: `${host}:${port}/${database}`, driver: 'mysql2' }
}

/** What a connection waits for: one command at a time, others wait in its queue. */
function activeCommand (connection: Connection): Asked | undefined {
  const command = connection._command
  return typeof command?.sql === 'string' ? { operation: command, describe: () => describe(connection, command) } : undefined
}

function rows (answer: unknown): { rows?: number } {
  if (Array.isArray(answer)) return { rows: answer.length }
  const { affectedRows } = (answer ?? {}) as { affectedRows?: number }
  return affectedRows === undefined ? {} : { rows: affectedRows }
}
