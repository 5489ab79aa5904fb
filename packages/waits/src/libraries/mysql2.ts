import type { Asked } from '../live/connections.ts'
import { closeWithCallback, inNameOf, recorderOutsideDrivers, waitForCallback } from '../observe.ts'
import { patch, patchClassOf } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { normaliseSql } from '../statement.ts'
import type { WaitStart } from '../wait-log.ts'
import { watchMysqlLocks, type LockClient } from './mysql-locks.ts'

interface Config {
  readonly host?: string
  readonly port?: number
  readonly database?: string
}

/** What was asked: a user's options, or a command that the driver has made of them. */
interface Query {
  readonly sql?: string
  readonly values?: unknown
  onResult?: unknown
}

interface Command {
  once? (event: 'end', listener: () => void): unknown
}

interface Connection {
  readonly config?: Config
  readonly _command?: Query | null
}

interface Pool {
  readonly config?: { readonly connectionConfig?: Config, readonly connectionLimit?: number }
  readonly _freeConnections?: { readonly length: number }
  readonly _allConnections?: { readonly length: number }
  /** Callbacks of who waits for a connection. */
  readonly _connectionQueue?: { peekFront? (): object | undefined }
}

/** `mysql2`: its promises are made of these callbacks. `pool.query()` calls it from within its own record, with a command. */
export function patchMysql2 (Connection: new (options: { config: object }) => LockClient): void {
  const query = Connection.prototype.query as Function
  for (const name of ['query', 'execute']) {
    patch(Connection.prototype, name, original => function (...args: unknown[]) {
      const recorder = activeRecorder()
      if (recorder === undefined || recorder.passes(statementOf(args[0]), this as Connection, activeCommand)) return Reflect.apply(original, this, args)
      const { sql = '', values, onResult } = queryOf(args)
      const record = recorder.record(true)
      const { kind, statement, target, driver } = describe(this as Connection, args[0])
      const wait = recorder.open(record, { kind, statement, target, driver, values: [sql, values], parameters: values !== undefined })
      watchMysqlLocks(recorder, record, { wait, client: this as LockClient, text: sql, target }, Connection, query)
      const at = callbackAt(args)
      if (at < 0 && typeof onResult === 'function') (args[0] as Query).onResult = closeWithCallback(recorder, record, wait, onResult, rows)
      const handed = at < 0 ? args : args.with(at, closeWithCallback(recorder, record, wait, args[at] as Function, rows))
      const command = recorder.call(record, original, this, handed) as Command
      recorder.noted(command)
      // A query that is read by its events; this is the last of them, after an error too.
      if (at < 0 && typeof onResult !== 'function') command.once?.('end', () => { recorder.close(wait, false) })
      return command
    })
  }
  patchPrepare(Connection)
}

/** Statements that are prepared for being executed later. Their class isn't exported; the first one shows it. */
function patchPrepare (Connection: { prototype: object }): void {
  patch(Connection.prototype, 'prepare', original => function (...args: unknown[]) {
    const at = callbackAt(args)
    if (at < 0) return Reflect.apply(original, this, args)
    const callback = args[at] as Function
    const handed = args.with(at, function (this: unknown, ...results: unknown[]) {
      if (results[1] !== undefined) patchClassOf(results[1] as object, patchPrepared)
      return Reflect.apply(callback, this, results)
    })
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, handed)
    const { kind, statement, target, driver } = describe(this as Connection, args[0])
    return waitForCallback(recorder, { kind, statement: `prepare: ${statement}`, target, driver }, original, this, handed, at)
  })
}

function patchPrepared (prototype: object): void {
  patch(prototype, 'execute', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const at = callbackAt(args)
    if (recorder === undefined || at < 0) return Reflect.apply(original, this, args)
    const { query, _connection: connection = {} } = this as { readonly query?: string, readonly _connection?: Connection }
    return waitForCallback(recorder, { ...describe(connection, query), values: args[0], parameters: at > 0 }, original, this, args, at, rows)
  })
}

/** Its pool: the time until a connection is there, and queries that take one by themselves. */
export function patchMysql2Pool (Pool: { prototype: object }): void {
  for (const name of ['query', 'execute']) {
    patch(Pool.prototype, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      const statement = recorder === undefined ? '' : statementOf(args[0])
      if (recorder === undefined || recorder.passes(statement)) return Reflect.apply(original, this, args)
      const record = recorder.record(true, statement)
      const at = callbackAt(args)
      if (at < 0) return recorder.call(record, original, this, args)
      return recorder.call(record, original, this, args.with(at, inNameOf(recorder, recorder.besides(record), args[at] as Function)))
    })
  }
  patch(Pool.prototype, 'getConnection', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    const [callback] = args
    const pool = this as Pool
    if (recorder === undefined || typeof callback !== 'function' || passesConnection(recorder, pool)) return Reflect.apply(original, this, args)
    const record = recorder.record(true, 'connection')
    const handed = toConnection(recorder, record, pool, callback)
    const result = recorder.call(record, original, pool, [handed])
    // Who waits is known to the pool by this.
    recorder.noted(handed)
    return result
  })
}

const FREE = 'free connection'

function passesConnection (recorder: Recorder, pool: Pool): boolean {
  const what = waitedFor(pool)
  if (what === undefined) return recorder.passes('connection')
  return what === FREE && recorder.passes(FREE, pool, oldestWaiting)
}

/** The callback for a connection. One that nobody uses is no wait, but code that follows. */
function toConnection (recorder: Recorder, record: number, pool: Pool, callback: Function): Function {
  const what = waitedFor(pool)
  if (what === undefined) return inNameOf(recorder, recorder.inDriver ? record : recorder.besides(record), callback)
  return closeWithCallback(recorder, record, recorder.open(record, describePool(pool, what)), callback)
}

/** What who asks for a connection waits for; `undefined` where there is one that nobody uses. */
function waitedFor ({ config, _freeConnections: free, _allConnections: all }: Pool): string | undefined {
  if (free === undefined || free.length > 0) return undefined
  const { connectionLimit = 0 } = config ?? {}
  return connectionLimit === 0 || (all?.length ?? 0) < connectionLimit ? 'new connection' : FREE
}

/** Who waits for a connection for longest. */
function oldestWaiting (pool: Pool): Asked | undefined {
  const operation = pool._connectionQueue?.peekFront?.()
  return operation && { operation, describe: () => describePool(pool, FREE) }
}

function describePool ({ config }: Pool, statement: string): WaitStart {
  return { kind: 'pool', statement, target: where(config?.connectionConfig), driver: 'mysql2', connections: config?.connectionLimit || undefined }
}

/** What a connection waits for: one command at a time, others wait in its queue. */
function activeCommand (connection: Connection): Asked | undefined {
  const command = connection._command
  return typeof command?.sql === 'string' ? { operation: command, describe: () => describe(connection, command) } : undefined
}

function describe ({ config }: Connection, query: unknown): Required<Pick<WaitStart, 'kind' | 'statement' | 'target' | 'driver'>> {
  return { kind: 'sql', statement: statementOf(query), target: where(config), driver: 'mysql2' }
}

function statementOf (query: unknown): string {
  return normaliseSql(typeof query === 'string' ? query : String((query as Query | undefined)?.sql ?? ''), 'mysql')
}

function queryOf ([first, second]: unknown[]): Query {
  const given = (typeof first === 'string' ? { sql: first } : first ?? {}) as Query
  const sql = String(given.sql ?? '')
  if (second === undefined || typeof second === 'function') return { ...given, sql }
  return { sql, values: second, onResult: given.onResult }
}

function callbackAt (args: readonly unknown[]): number {
  return args.findLastIndex(argument => typeof argument === 'function')
}

function where ({ host = 'localhost', port = 3306, database = '' }: Config = {}): string {
  return `${host}:${port}/${database}`
}

function rows (answer: unknown): { rows?: number } {
  if (Array.isArray(answer)) return { rows: answer.length }
  const { affectedRows } = (answer ?? {}) as { affectedRows?: number }
  return affectedRows === undefined ? {} : { rows: affectedRows }
}
