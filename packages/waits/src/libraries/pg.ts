import type { Asked } from '../live/connections.ts'
import { closeWithCallback, closeWithPromise, inNameOf, recorderOutsideDrivers, waitForCallback, waitForPromise, type Measure } from '../observe.ts'
import { patch } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { normaliseSql } from '../statement.ts'
import type { WaitStart } from '../wait-log.ts'
import { watchPgLocks, type LockClient } from './pg-locks.ts'

interface Client {
  readonly host?: string
  readonly port?: number
  readonly database?: string
  /** From 8.16; before that its name was without the underscore, which now warns. */
  readonly _activeQuery?: Query | null
  readonly activeQuery?: Query | null
  readonly _queryQueue?: Query[]
  readonly queryQueue?: Query[]
}

interface Pool {
  readonly options: Client & { readonly connectionString?: string, readonly max?: number }
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  readonly _pendingQueue?: object[]
}

interface Query {
  readonly text?: string
  readonly name?: string
  readonly values?: unknown[]
  callback?: Function
}

const rows: Measure = result => ({ rows: result?.rowCount ?? undefined })

/** `pg/lib/client.js`: connections of one's own, and queries. `pool.query()` calls it from within its own wait's record. */
export function patchPgClient (Client: { prototype: object }): void {
  patchConnections(Client)
  patch(Client.prototype, 'query', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined || recorder.passes(normaliseSql(textOf(args[0])), this as Client, activeQuery)) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const cursor = cursorOf(args[0])
    if (cursor !== undefined) {
      cursors.set(cursor, this as Client)
      return recorder.call(record, original, this, args)
    }
    const wait = openQuery(recorder, record, this as Client, args)
    watchPgLocks(recorder, record, { wait, client: this as LockClient, text: textOf(args[0]), target: targetOf(this as Client, where) }, original)
    const at = args.findIndex(argument => typeof argument === 'function')
    const submitted = args[0] as Query & { submit?: Function } | undefined
    const isObject = typeof submitted === 'object' && submitted !== null
    const isSubmittable = isObject && typeof submitted.submit === 'function'
    const hasCallback = !isSubmittable && isObject && typeof submitted.callback === 'function'
    let handed = args
    if (isSubmittable) watchSubmittable(recorder, wait, submitted)
    else if (at > 0) handed = args.with(at, closeWithCallback(recorder, record, wait, args[at] as Function, rows))
    else if (hasCallback) handed = [{ ...submitted, callback: closeWithCallback(recorder, record, wait, submitted.callback!, rows) }, ...args.slice(1)]
    const result = recorder.call(record, original, this, handed)
    recorder.noted(newestQuery(this as Client))
    return isSubmittable || at > 0 || hasCallback ? result : closeWithPromise(recorder, record, wait, result, rows)
  })
}

/** What a connection waits for: one query at a time, others wait in its queue. */
function activeQuery (client: Client): Asked | undefined {
  const query = active(client)
  // One that is open is no wait before its user wants more.
  if ((cursorOf(query) as { state?: unknown } | undefined)?.state === 'idle') return undefined
  return query ? { operation: query, describe: () => describe(client, query) } : undefined
}

function active (client: Client): Query | null | undefined {
  return '_activeQuery' in client ? client._activeQuery : client.activeQuery
}

function newestQuery (client: Client): Query | null | undefined {
  const queue = '_queryQueue' in client ? client._queryQueue : client.queryQueue
  return queue?.at(-1) ?? active(client)
}

/** Until the server has let the client in, or knows that it is gone; of a pool's connections that is the pool's affair. */
function patchConnections (Client: { prototype: object }): void {
  for (const name of ['connect', 'end']) {
    patch(Client.prototype, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      const start: WaitStart = { kind: 'connect', statement: name, target: targetOf(this as Client, where), driver: 'pg' }
      return typeof args[0] === 'function' ? waitForCallback(recorder, start, original, this, args, 0) : waitForPromise(recorder, start, original, this, args)
    })
  }
}

/** Where cursors are open. */
const cursors = new WeakMap<object, Client>()

/** A cursor of `pg-cursor`, or that of a `pg-query-stream`: nothing is waited for but what is read of it, whenever its user wants more. */
function cursorOf (query: unknown): object | undefined {
  if (typeof query !== 'object' || query === null) return undefined
  const { cursor } = query as { cursor?: unknown }
  return [query, cursor].find((one): one is object => one instanceof Object && '_getRows' in one && 'read' in one)
}

/** `pg-cursor`: each batch of rows is a wait, the first one with all that the statement takes until then. */
export function patchPgCursor (Cursor: { prototype: object }): void {
  patch(Cursor.prototype, 'read', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const client = cursors.get(this as object)
    const statement = `fetch: ${normaliseSql(textOf(this))}`
    const start: WaitStart = { kind: 'sql', statement, target: client === undefined ? '' : targetOf(client, where), driver: 'pg-cursor' }
    const batch: Measure = rows => ({ rows: rows?.length })
    return typeof args[1] === 'function' ? waitForCallback(recorder, start, original, this, args, 1, batch) : waitForPromise(recorder, start, original, this, args, batch)
  })
}

/** `pg-pool`: the time until a connection is there, and queries that take one by themselves. */
export function patchPgPool (Pool: { prototype: object }): void {
  patch(Pool.prototype, 'query', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const statement = recorder === undefined ? '' : normaliseSql(textOf(args[0]))
    if (recorder === undefined || recorder.passes(statement)) return Reflect.apply(original, this, args)
    const record = recorder.record(true, statement)
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
    if (pool.idleCount > pool.waitingCount) return connectAtOnce(recorder, original, pool, args)
    const opens = opensAnother(pool)
    if (!opens && recorder.passes(FREE, pool, oldestPending)) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const wait = recorder.open(record, describePool(pool, opens ? 'new connection' : FREE))
    const handed = typeof callback === 'function' ? [closeWithCallback(recorder, record, wait, callback)] : args
    const result = recorder.call(record, original, this, handed)
    if (!opens) recorder.noted(pool._pendingQueue?.at(-1))
    return typeof callback === 'function' ? result : closeWithPromise(recorder, record, wait, result)
  })
}

const FREE = 'free connection'

function describePool (pool: Pool, statement: string): WaitStart {
  return { kind: 'pool', statement, target: targetOf(pool, poolTarget), driver: 'pg-pool', connections: pool.options.max }
}

/** Who waits for a free connection for longest. */
function oldestPending (pool: Pool): Asked | undefined {
  const [operation] = pool._pendingQueue ?? []
  return operation && { operation, describe: () => describePool(pool, FREE) }
}

/** There is a connection that nobody uses: no wait, but code that follows. */
function connectAtOnce (recorder: Recorder, connect: Function, pool: Pool, args: unknown[]): unknown {
  if (recorder.passes('connection')) return Reflect.apply(connect, pool, args)
  const record = recorder.record(true, 'connection')
  const callback = args[0]
  if (typeof callback !== 'function') return recorder.follow(record, recorder.call(record, connect, pool, args))
  const outer = recorder.inDriver ? record : recorder.besides(record)
  return recorder.call(record, connect, pool, [inNameOf(recorder, outer, callback)])
}

/**
 * Whether the pool will open a connection rather than wait for one that is in use: a delay that a process has only in its beginning. As long as there is
 * one that nobody uses, who asks is put into the queue until the next tick; those who are ahead there, and get none of these, open connections, too.
 */
function opensAnother ({ totalCount, idleCount, waitingCount, options: { max = 10 } }: Pool): boolean {
  const opening = idleCount === 0 ? 0 : waitingCount - idleCount
  return totalCount + opening < max
}

function openQuery (recorder: Recorder, record: number, client: Client, [first, second]: unknown[]): number {
  const query = (typeof first === 'string' ? {} : first ?? {}) as Query
  const values = Array.isArray(second) ? second : query.values
  const text = textOf(first)
  const statement = normaliseSql(text)
  // One literal: to spread another's into it takes Node 20 three microseconds, for each of 100,000 queries.
  return recorder.open(record, {
    kind: 'sql',
    statement,
    target: targetOf(client, where),
    driver: 'pg',
    values: text === statement ? values : [text, values],
    parameters: Array.isArray(values) && values.length > 0
  })
}

function describe (client: Client, query: unknown): WaitStart {
  return { kind: 'sql', statement: normaliseSql(textOf(query)), target: targetOf(client, where), driver: 'pg' }
}

function textOf (query: unknown): string {
  if (typeof query === 'string') return query
  const { text, name } = (query ?? {}) as Query
  return String(text ?? name ?? '')
}

/** Queries that the caller made themselves: `new Query()`, `pg-copy-streams`. They tell their end by these methods. */
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
