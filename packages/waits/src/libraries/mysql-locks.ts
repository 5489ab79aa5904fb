import type { LockKind } from '@geordi/profile'
import type { Recorder } from '../recorder.ts'
import { normaliseSql } from '../statement.ts'
import { LockWatch, type LockConnection, type LockServers, type OpenStatement, type Quietly, type Sighting } from './lock-watch.ts'
import { advisoryHolder, metadataHolders, processes, rowLocks, type Holder, type Process, type RowLock } from './mysql-questions.ts'

/** Milliseconds that asking may take; without an answer nothing is known. */
const LIMIT = 5000

/** InnoDB keeps what it tells of transactions until nobody has read that for 100 ms: who asks more often sees the same for ever. */
const EVERY = 150

/** InnoDB tells the second in which a transaction began to wait. */
const PRECISION = 1

/** Errors: a right is wanted, for a table or for all; there is no such table. */
const REFUSED: ReadonlySet<number> = new Set([1142, 1227, 1109, 1146])

/** What is used of `mysql2`'s connection. */
export interface LockClient {
  readonly config: { readonly host?: string, readonly port?: number, readonly socketPath?: string, readonly user?: string, readonly database?: string, readonly stream?: unknown }
  readonly threadId: number | null
  readonly stream: { unref? (): void }
  on (event: 'error', listener: () => void): unknown
  once (event: 'connect', listener: (handshake: { serverVersion?: string }) => void): unknown
  end (): unknown
}

type LockClientClass = new (options: { config: object }) => LockClient
type Statement = OpenStatement<LockClient>

/** Asks a server: its rows, each with the types of its columns. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<readonly unknown[]>

const watches = new WeakMap<Recorder, LockWatch<LockClient>>()

/**
 * Watches whether a query waits for a lock.
 *
 * @param Connection The driver's class of connections that belong to no pool.
 * @param query Its method as it was, which records nothing.
 */
export function watchMysqlLocks (recorder: Recorder, record: number, statement: Statement, Connection: LockClientClass, query: Function): void {
  // A stream of the app's own (a tunnel) leads one connection to the server, and is its.
  if (!recorder.asksServers || statement.client.config.stream !== undefined) return
  let watch = watches.get(recorder)
  if (watch === undefined) watches.set(recorder, watch = new LockWatch(recorder, serversBy(Connection, query)))
  watch.add(record, statement)
}

function serversBy (Connection: LockClientClass, query: Function): LockServers<LockClient> {
  return {
    every: EVERY,
    keyOf: ({ config: { host, port, socketPath, user } }) => JSON.stringify([host, port, socketPath, user]),
    connect: (client, quietly, silent) => new Asker(Connection, query, client, quietly, silent)
  }
}

/** Asks one server. */
class Asker implements LockConnection<LockClient> {
  readonly #connection: LockClient
  readonly #ask: Ask
  readonly #version: Promise<string>
  readonly #silent: () => void
  /** Which one of the questions for rows the server answers this user. */
  #rowQuestion = 0
  #knowsMetadata = true

  constructor (Connection: LockClientClass, query: Function, { config }: LockClient, quietly: Quietly, silent: () => void) {
    const connection = new Connection({ config: configLike(config) })
    this.#connection = connection
    this.#silent = silent
    connection.on('error', () => {})
    connection.once('connect', () => connection.stream.unref?.())
    this.#ask = (sql, values = []) => new Promise((resolve, reject) => {
      const answered = (error: Error | null, rows: readonly unknown[]) => { error ? reject(error) : resolve(rows) }
      quietly(() => Reflect.apply(query, connection, [{ sql, timeout: LIMIT }, values, answered]))
    })
    // The time zone of what InnoDB tells, which is the system's whatever that of sessions is.
    this.#version = this.#ask("SET time_zone = 'SYSTEM'").then(() => this.#ask('SELECT version() AS version')).then(([row]) => (row as { version: string }).version)
    this.#version.catch(() => {})
  }

  async ask (open: readonly Statement[]): Promise<Array<Sighting<LockClient>>> {
    const version = await this.#version
    const asked = open.filter(({ client }) => typeof client.threadId === 'number')
    if (asked.length === 0) return []
    const ids = asked.map(({ client }) => client.threadId as number)
    const sessions = await this.#ask(processes(version), [ids]) as readonly Process[]
    // Behind a proxy the number is another session's.
    const known = asked.flatMap(open => {
      const process = sessions.find(({ id }) => id === open.client.threadId)
      return process?.info && areAlike(process.info, open.text) ? [{ open, process }] : []
    })
    const others = await Promise.all(known.map(async ({ open, process }) => await this.#stateOf(open, process)))
    const unknown = known.filter((_, at) => others[at] === undefined)
    return [...others.filter(sighting => sighting !== undefined), ...await this.#rows(version, unknown)]
  }

  close (): void {
    this.#connection.end()
  }

  /** Of locks that are a state of the session, which every user may see of their own. */
  async #stateOf (open: Statement, process: Process): Promise<Sighting<LockClient> | undefined> {
    const kind = kindOf(process.state ?? '')
    if (kind === undefined) return undefined
    return { open, kind, holder: await this.#metadataHolder(process, kind), at: process.at, age: Number(process.age) }
  }

  async #metadataHolder (process: Process, kind: LockKind): Promise<string> {
    const asked: ReadonlyArray<readonly [sql: string, values: readonly unknown[]]> = [
      ...this.#knowsMetadata ? [[metadataHolders, [process.id]] as const] : [],
      ...kind === 'advisory' ? [advisoryHolder(process.info ?? '')].filter(question => question !== undefined) : []
    ]
    for (const [sql, values] of asked) {
      try {
        const [holder] = await this.#ask(sql, values) as readonly Holder[]
        if (holder !== undefined) return holderOf(holder)
      } catch {
        // Not of this server, or not for this user: then it isn't known who holds it.
        if (sql === metadataHolders) this.#knowsMetadata = false
      }
    }
    return ''
  }

  /** Of rows only who has the right to look at all transactions is told. */
  async #rows (version: string, open: ReadonlyArray<{ readonly open: Statement, readonly process: Process }>): Promise<Array<Sighting<LockClient>>> {
    if (open.length === 0) return []
    const ids = open.map(({ process }) => process.id)
    const questions = rowLocks(version)
    while (this.#rowQuestion < questions.length) {
      try {
        const locks = await this.#ask(questions[this.#rowQuestion]!, [ids]) as readonly RowLock[]
        return open.flatMap(({ open, process: { id, age } }) => {
          const lock = locks.find(({ waiting }) => waiting === id)
          if (lock === undefined) return []
          return [{ open, kind: 'row' as const, holder: holderOf(lock), at: lock.at, since: lock.since + PRECISION, precision: PRECISION, age: Number(age) }]
        })
      } catch (error) {
        if (!REFUSED.has((error as { errno?: number }).errno ?? 0)) throw error
        this.#rowQuestion++
        if (this.#rowQuestion === questions.length) this.#silent()
      }
    }
    return []
  }
}

/** The app's own way to the server, without what it does to questions and answers. */
function configLike (config: LockClient['config']): object {
  const plain = { namedPlaceholders: false, queryFormat: undefined, rowsAsArray: false, nestTables: undefined, typeCast: true, pool: undefined, debug: false }
  const own = Object.create(Object.getPrototypeOf(config)) as object
  return Object.assign(own, config, plain, { connectTimeout: LIMIT, connectAttributes: { program_name: 'geordi' } })
}

function kindOf (state: string): LockKind | undefined {
  if (/^user lock$/i.test(state)) return 'advisory'
  if (!/^waiting for .*\b(?:lock|flush)\b/i.test(state)) return undefined
  return /\btable\b/i.test(state) ? 'table' : 'other'
}

/** Whether the server's text of a statement, with the driver's values in it, is the app's. */
function areAlike (told: string, asked: string): boolean {
  const [one, other] = [beginningOf(told), beginningOf(asked)]
  return one.startsWith(other) || other.startsWith(one)
}

function beginningOf (text: string): string {
  const [beginning = ''] = normaliseSql(text, 'mysql').split(/\(…|[?:]/, 1)
  return beginning.trimEnd().replace(/\($/, '').trimEnd()
}

/** Who holds a lock, by the database's user and where they connect from: a name of the program is only known to the performance schema. */
function holderOf ({ holder, user, host, command, info }: Holder): string {
  if (holder === null) return ''
  const who = [...user === null ? [] : [`${user}@${host ?? ''}`], `connection ${holder}`].join(', ')
  if (info !== null && info !== '') return `${who}: ${normaliseSql(info, 'mysql')}`
  return command === 'Sleep' ? `${who}: idle, its transaction is open` : who
}
