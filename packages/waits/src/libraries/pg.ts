import { closeWithCallback, closeWithPromise, inNameOf, recorderOutsideDrivers, type Measure } from '../observe.ts'
import { patch } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { normaliseSql } from '../statement.ts'
import { watchLocks, type LockClient } from './pg-locks.ts'

interface Client {
  readonly host?: string
  readonly port?: number
  readonly database?: string
}

interface Pool {
  readonly options: Client & { readonly connectionString?: string, readonly max?: number }
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
}

interface Query {
  readonly text?: string
  readonly name?: string
  readonly values?: unknown[]
  callback?: Function
}

const rows: Measure = result => ({ rows: result?.rowCount ?? undefined })

/** `pg/lib/client.js`: queries. `pool.query()` calls it from within its own wait's record. */
export function patchPgClient (Client: { prototype: object }): void {
  patch(Client.prototype, 'query', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const wait = openQuery(recorder, record, this as Client, args)
    watchLocks(recorder, record, wait, this as LockClient, textOf(args[0]), original)
    const at = args.findIndex(argument => typeof argument === 'function')
    const submitted = args[0] as Query & { submit?: Function } | undefined
    const isObject = typeof submitted === 'object' && submitted !== null
    if (isObject && typeof submitted.submit === 'function') watchSubmittable(recorder, wait, submitted)
    else if (at > 0) return recorder.call(record, original, this, args.with(at, closeWithCallback(recorder, record, wait, args[at] as Function, rows)))
    else if (isObject && typeof submitted.callback === 'function') {
      const callback = closeWithCallback(recorder, record, wait, submitted.callback, rows)
      return recorder.call(record, original, this, [{ ...submitted, callback }, ...args.slice(1)])
    } else return closeWithPromise(recorder, record, wait, recorder.call(record, original, this, args), rows)
    return recorder.call(record, original, this, args)
  })
}

/** `pg-pool`: the time until a connection is there, and queries that take one by themselves. */
export function patchPgPool (Pool: { prototype: object }): void {
  patch(Pool.prototype, 'query', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true, normaliseSql(textOf(args[0])))
    const at = args.findIndex(argument => typeof argument === 'function')
    // A promise of the pool's own is followed, so that what follows it is known to follow the call.
    if (at < 0) return recorder.follow(record, recorder.call(record, original, this, args))
    const outer = recorder.besides(record)
    const callback = args[at] as Function
    const answer = function (this: unknown, ...results: unknown[]) { return recorder.enter(outer, callback, this, results) }
    return recorder.call(record, original, this, args.with(at, answer))
  })
  patch(Pool.prototype, 'connect', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const pool = this as Pool
    const callback = args[0]
    if (pool.idleCount > 0 && pool.waitingCount === 0) return connectAtOnce(recorder, original, pool, args)
    const record = recorder.record(true)
    const wait = recorder.open(record, { kind: 'pool', statement: opensAnother(pool) ? 'new connection' : 'free connection', target: targetOf(pool, poolTarget), driver: 'pg-pool' })
    if (typeof callback === 'function') {
      return recorder.call(record, original, this, [closeWithCallback(recorder, record, wait, callback)])
    }
    return closeWithPromise(recorder, record, wait, recorder.call(record, original, this, args))
  })
}

/** There is a connection that nobody uses: no wait, but code that follows. */
function connectAtOnce (recorder: Recorder, connect: Function, pool: Pool, args: unknown[]): unknown {
  const record = recorder.record(true, 'connection')
  const callback = args[0]
  if (typeof callback !== 'function') return recorder.follow(record, recorder.call(record, connect, pool, args))
  const outer = recorder.inDriver ? record : recorder.besides(record)
  return recorder.call(record, connect, pool, [inNameOf(recorder, outer, callback)])
}

/** Whether the pool will open a connection rather than wait for one that is in use: a delay that a process has only in its beginning. */
function opensAnother ({ totalCount, idleCount, waitingCount, options: { max = 10 } }: Pool): boolean {
  return idleCount === 0 && waitingCount === 0 && totalCount < max
}

function openQuery (recorder: Recorder, record: number, client: Client, [first, second]: unknown[]): number {
  const query = (typeof first === 'string' ? {} : first ?? {}) as Query
  const text = textOf(first)
  const statement = normaliseSql(text)
  const values = Array.isArray(second) ? second : query.values
  return recorder.open(record, {
    kind: 'sql',
    statement,
    target: targetOf(client, where),
    driver: 'pg',
    values: text === statement ? values : [text, values],
    parameters: Array.isArray(values) && values.length > 0
  })
}

function textOf (query: unknown): string {
  if (typeof query === 'string') return query
  const { text, name } = (query ?? {}) as Query
  return String(text ?? name ?? '')
}

/** Queries that the caller made themselves: cursors, streams, `new Query()`. They tell their end by these methods. */
function watchSubmittable (recorder: Recorder, wait: number, query: object): void {
  for (const [name, failed] of [['handleReadyForQuery', false], ['handleError', true]] as const) {
    const handle: unknown = Reflect.get(query, name)
    if (typeof handle !== 'function') continue
    Object.defineProperty(query, name, {
      configurable: true,
      writable: true,
      value (this: unknown, ...args: unknown[]) {
        recorder.close(wait, failed)
        return Reflect.apply(handle, this, args)
      }
    })
  }
}

/** Connections and pools are few, and asked often. */
const targets = new WeakMap<object, string>()

function targetOf<Asked extends object> (asked: Asked, tell: (asked: Asked) => string): string {
  let target = targets.get(asked)
  if (target === undefined) targets.set(asked, target = tell(asked))
  return target
}

/** A pool is often told by a URL, which holds the password as well. */
function poolTarget ({ options }: Pool): string {
  const url = options.connectionString === undefined ? null : parseUrl(options.connectionString)
  if (url === null) return where(options)
  return where({ host: url.hostname, ...url.port === '' ? {} : { port: Number(url.port) }, database: url.pathname.slice(1) })
}

function parseUrl (text: string): URL | null {
  // URL.parse() is of Node 22.
  return URL.canParse(text) ? new URL(text) : null
}

function where ({ host = 'localhost', port = 5432, database = '' }: Client): string {
  return `${host}:${port}/${database}`
}
