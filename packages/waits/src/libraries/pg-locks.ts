import type { LockKind } from '@geordi/profile'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { normaliseSql } from '../statement.ts'

/** Milliseconds between two looks at what is open. */
const EVERY = 50
/** A statement that is open for so many milliseconds is worth asking about. */
const SLOW = 100
/** So many are kept before those that have ended are let go. */
const MOST_ENDED = 1000
/** Milliseconds that asking may take; without an answer nothing is known. */
const LIMIT = 5000

/** What is used of `pg`'s client. */
export interface LockClient {
  readonly processID?: number | null
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  readonly password?: unknown
  readonly ssl?: unknown
  readonly constructor: Function
  on (event: 'error', listener: () => void): unknown
  connect (): Promise<unknown>
  end (): Promise<unknown>
}

interface Open {
  readonly wait: number
  readonly client: LockClient
  readonly text: string
  readonly since: number
  /** Since when it is known to wait for a lock. */
  first?: number
  /** Who held it then: later they may be about to end. */
  holder?: string
}

interface Row {
  readonly event: string
  readonly seconds: number | null
  readonly name: string | null
  readonly pid: number | null
  readonly query: string | null
}

/**
 * Who waits, for what, and for whom. `waitstart` is of PostgreSQL 14; through `to_jsonb` its absence is no error. A session's `query` is there to be read
 * for the same user and for monitors. The statement is compared, because behind a pooler such as PgBouncer the number is another session's.
 */
const QUESTION = `
  SELECT waiting.wait_event AS event, extract(epoch FROM clock_timestamp() - (to_jsonb(l)->>'waitstart')::timestamptz)::float8 AS seconds,
    holder.application_name AS name, holder.pid AS pid, holder.query AS query
  FROM pg_stat_activity waiting LEFT JOIN pg_locks l ON l.pid = waiting.pid AND NOT l.granted
    LEFT JOIN pg_stat_activity holder ON holder.pid = (pg_blocking_pids(waiting.pid))[1]
  WHERE waiting.pid = $1 AND waiting.wait_event_type = 'Lock' AND left(waiting.query, 200) = left($2, 200) LIMIT 1`

const watches = new WeakMap<Recorder, LockWatch>()

/**
 * A client can't tell a statement that works from one that waits for a lock. So those that take long are asked about, at the same server by a connection
 * of our own, read only: nothing is asked about requests whose statements are fast.
 *
 * @param query `Client.prototype.query` as it was, which records nothing.
 */
export function watchLocks (recorder: Recorder, record: number, wait: number, client: LockClient, text: string, query: Function): void {
  if (!recorder.asksServers) return
  let watch = watches.get(recorder)
  if (watch === undefined) watches.set(recorder, watch = new LockWatch(recorder, query))
  watch.add(record, { wait, client, text, since: performance.now() })
}

class LockWatch {
  readonly #recorder: Recorder
  readonly #query: Function
  #open: Open[] = []
  #timer: NodeJS.Timeout | undefined
  #asking = false
  #most = MOST_ENDED
  /** One for each server that was asked. */
  readonly #connections = new Map<string, Promise<LockClient>>()

  constructor (recorder: Recorder, query: Function) {
    this.#recorder = recorder
    this.#query = query
  }

  add (record: number, open: Open): void {
    this.#open.push(open)
    // In the name of a driver's call: what is done there is not recorded.
    this.#timer ??= this.#recorder.call(record, () => {
      const timer = setInterval(() => this.#look(), EVERY)
      timer.unref()
      return timer
    }, undefined, []) as NodeJS.Timeout
    // Thousands of fast ones leave nothing behind; thousands that are open at once aren't looked through for each.
    if (this.#open.length < this.#most) return
    this.#forgetEnded()
    this.#most = Math.max(MOST_ENDED, 2 * this.#open.length)
  }

  #look (): void {
    if (activeRecorder() !== this.#recorder) return this.#end()
    this.#forgetEnded()
    const slow = this.#open.filter(({ since }) => performance.now() - since >= SLOW)
    if (slow.length === 0 || this.#asking) return
    this.#asking = true
    Promise.all(slow.map(open => this.#ask(open))).catch(() => {
      // A server that lets nobody else in, or that was never one of PostgreSQL's own: then nothing is known.
    }).finally(() => { this.#asking = false })
  }

  #forgetEnded (): void {
    this.#open = this.#open.filter(({ wait }) => this.#recorder.isOpen(wait))
  }

  async #ask (open: Open): Promise<void> {
    const { client, wait, text } = open
    if (typeof client.processID !== 'number') return
    const connection = await this.#connect(client)
    const { rows: [row] } = await Reflect.apply(this.#query, connection, [QUESTION, [client.processID, text]]) as { rows: Row[] }
    if (row === undefined || !this.#recorder.isOpen(wait)) return
    const now = performance.now()
    open.first ??= now - (row.seconds ?? 0) * 1000
    open.holder ??= holderOf(row)
    this.#recorder.lock({ wait, kind: kindOf(row.event), time: Math.max(0, now - open.first) * 1000, holder: open.holder })
  }

  #connect (of: LockClient): Promise<LockClient> {
    const { host, port, database, user } = of
    const key = JSON.stringify([host, port, database, user])
    let connection = this.#connections.get(key)
    if (connection === undefined) this.#connections.set(key, connection = this.#newConnection(of))
    return connection
  }

  async #newConnection ({ host, port, database, user, password, ssl, constructor }: LockClient): Promise<LockClient> {
    const connection = Reflect.construct(constructor, [{
      host, port, database, user, password, ssl, application_name: 'geordi', connectionTimeoutMillis: LIMIT, query_timeout: LIMIT, statement_timeout: LIMIT
    }]) as LockClient
    connection.on('error', () => {})
    await connection.connect()
    return connection
  }

  #end (): void {
    clearInterval(this.#timer)
    for (const connection of this.#connections.values()) connection.then(client => client.end()).catch(() => {})
    this.#connections.clear()
  }
}

function kindOf (event: string): LockKind {
  switch (event) {
    case 'transactionid': case 'tuple': case 'virtualxid': return 'row'
    case 'relation': case 'extend': case 'page': return 'table'
    case 'advisory': return 'advisory'
    default: return 'other'
  }
}

function holderOf ({ name, pid, query }: Row): string {
  if (pid === null) return ''
  const who = [name ?? '', `process ${pid}`].filter(part => part !== '').join(', ')
  return query === null || query === '' ? who : `${who}: ${normaliseSql(query)}`
}
