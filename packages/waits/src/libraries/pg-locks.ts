import type { LockKind } from '@geordi/profile'
import type { Recorder } from '../recorder.ts'
import { normaliseSql } from '../statement.ts'
import { LockWatch, type LockConnection, type LockServers, type OpenStatement, type Quietly, type Sighting } from './lock-watch.ts'

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
  unref? (): void
}

type Statement = OpenStatement<LockClient>

interface Row {
  /** Of the statement asked about, from 1. */
  readonly statement: number
  readonly event: string
  readonly at: number
  readonly since: number | null
  readonly age: number
  readonly name: string | null
  readonly pid: number | null
  readonly query: string | null
}

/**
 * Who waits, for what, and for whom. `waitstart` is of PostgreSQL 14; through `to_jsonb` its absence is no error. A session's `query` is there to be read
 * for the same user and for monitors. The statement is compared, because behind a pooler such as PgBouncer the number is another session's.
 */
const QUESTION = `
  SELECT asked.statement::int AS statement, waiting.wait_event AS event, extract(epoch FROM clock_timestamp())::float8 AS at,
    extract(epoch FROM (to_jsonb(l)->>'waitstart')::timestamptz)::float8 AS since,
    extract(epoch FROM clock_timestamp() - waiting.query_start)::float8 AS age,
    holder.application_name AS name, holder.pid AS pid, holder.query AS query
  FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS asked(pid, text, statement) JOIN pg_stat_activity waiting ON waiting.pid = asked.pid
    LEFT JOIN pg_locks l ON l.pid = waiting.pid AND NOT l.granted
    LEFT JOIN pg_stat_activity holder ON holder.pid = (pg_blocking_pids(waiting.pid))[1]
  WHERE waiting.wait_event_type = 'Lock' AND left(waiting.query, 200) = left(asked.text, 200)`

const watches = new WeakMap<Recorder, LockWatch<LockClient>>()

/**
 * Watches whether a query waits for a lock.
 *
 * @param query `Client.prototype.query` as it was, which records nothing.
 */
export function watchPgLocks (recorder: Recorder, record: number, statement: Statement, query: Function): void {
  if (!recorder.asksServers) return
  let watch = watches.get(recorder)
  if (watch === undefined) watches.set(recorder, watch = new LockWatch(recorder, serversBy(query)))
  watch.add(record, statement)
}

function serversBy (query: Function): LockServers<LockClient> {
  return {
    every: 50,
    keyOf: ({ host, port, database, user }) => JSON.stringify([host, port, database, user]),
    connect: (client, quietly) => connect(client, query, quietly)
  }
}

function connect ({ host, port, database, user, password, ssl, constructor }: LockClient, query: Function, quietly: Quietly): LockConnection<LockClient> {
  const connection = Reflect.construct(constructor, [{
    host, port, database, user, password, ssl, application_name: 'geordi', connectionTimeoutMillis: LIMIT, query_timeout: LIMIT, statement_timeout: LIMIT
  }]) as LockClient
  connection.on('error', () => {})
  const connected = connection.connect().then(() => connection.unref?.())
  return {
    async ask (open) {
      await connected
      const asked = open.filter(({ client }) => typeof client.processID === 'number')
      const values = [asked.map(({ client }) => client.processID), asked.map(({ text }) => text)]
      const { rows } = await quietly(() => Reflect.apply(query, connection, [QUESTION, values])) as { rows: Row[] }
      return rows.map(row => sightingOf(asked[row.statement - 1]!, row))
    },
    close () {
      connected.then(() => connection.end()).catch(() => {})
    }
  }
}

function sightingOf (open: Statement, row: Row): Sighting<LockClient> {
  return { open, kind: kindOf(row.event), holder: holderOf(row), at: row.at, age: row.age, ...row.since !== null && { since: row.since } }
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
