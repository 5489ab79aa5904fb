import { createPostgresBackend, Queue, Worker } from 'bullmq'
import { Pool, type QueryResultRow } from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionError, unavailable, WEB_TIMEOUT, type Backend, type BackendOptions, type ConsumeOptions, type Consumer } from './backend.ts'
import { JOB_NAME, jobOptions, startWorker, WORKER_OPTIONS } from './bullmq.ts'
import { CAPTURE, type ResultStore, type StoredReplay } from './store.ts'

type BullQueue = ReturnType<typeof createQueue>

const RETRY_DELAY_MAX = 1000
/** Milliseconds that a worker waits for a connection before it tries again: one that hangs must not keep it from a server that is back. */
const WORKER_CONNECTION_TIMEOUT = 10_000

/** PostgreSQL as queue server: BullMQ's PostgreSQL backend in the schema `<name>_queue`, the store in `<name>`. */
export class PostgresBackend implements Backend {
  readonly store: ResultStore
  readonly #options: BackendOptions
  readonly #pool: Pool
  #queue: BullQueue | undefined

  constructor (options: BackendOptions) {
    this.#options = options
    this.#pool = new Pool({
      connectionString: options.url,
      max: 4,
      connectionTimeoutMillis: connectionTimeout(options.role),
      ...(options.role === 'web' ? { query_timeout: WEB_TIMEOUT } : {})
    })
    hear(this.#pool)
    this.store = new PostgresStore(this.#pool, options)
  }

  async enqueue (id: string): Promise<void> {
    try {
      this.#queue ??= createQueue(this.#options)
      await this.#queue.add(JOB_NAME, {}, jobOptions(id))
    } catch (error) {
      // BullMQ remembers a failed start for good, so the next attempt begins with a new queue.
      const broken = this.#queue
      this.#queue = undefined
      await broken?.close().catch(() => {})
      throw unavailable(error)
    }
  }

  async consume (handler: (id: string) => Promise<void>, { concurrency, onError }: ConsumeOptions): Promise<Consumer> {
    const connection = connectionOptions(this.#options)
    const closing = new AbortController()
    const starting = startWorker(
      () => new Worker(this.#options.name, job => handler(job.id!), { ...WORKER_OPTIONS, connection, concurrency }, createBackend),
      onError, closing.signal)
    return {
      async close () {
        closing.abort()
        await (await starting)?.close()
      }
    }
  }

  async close (): Promise<void> {
    await this.#queue?.close().catch(() => {})
    await this.#pool.end()
  }
}

function connectionOptions ({ url, name, role }: BackendOptions) {
  return {
    connectionString: url,
    schema: `${name}_queue`,
    migrate: true,
    connectionTimeoutMillis: connectionTimeout(role)
  }
}

function connectionTimeout (role: BackendOptions['role']): number {
  return role === 'web' ? WEB_TIMEOUT : WORKER_CONNECTION_TIMEOUT
}

/** BullMQ's own, with its connections heard while its migration has them. */
const createBackend: typeof createPostgresBackend = (...args) => {
  const backend = createPostgresBackend(...args)
  hear(backend.connection.pool as Pool)
  return backend
}

/** A connection that breaks, idle or checked out, is replaced at the next query; unheard, it would end the process. */
function hear (pool: Pool): void {
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
}

function createQueue (options: BackendOptions) {
  const queue = new Queue(options.name, { connection: connectionOptions(options) }, createBackend)
  queue.on('error', () => {})
  return queue
}

/** Replays, and their artefacts apart so that reading a state never reads a report. */
class PostgresStore implements ResultStore {
  readonly #pool: Pool
  readonly #role: BackendOptions['role']
  readonly #schema: string
  #migrated: Promise<void> | undefined

  constructor (pool: Pool, { name, role }: BackendOptions) {
    this.#pool = pool
    this.#role = role
    this.#schema = name
  }

  async create (id: string, record: Uint8Array, capture: Uint8Array, ttl: number): Promise<void> {
    // Expired replays go when a new one comes: as much work as was added, and no timer to own.
    await this.#query(`
      WITH expired AS (DELETE FROM ${this.#schema}.replays WHERE expires_at < now()),
      created AS (INSERT INTO ${this.#schema}.replays (id, record, expires_at) VALUES ($1, $2, now() + make_interval(secs => $4)) RETURNING id)
      INSERT INTO ${this.#schema}.artefacts (id, name, bytes) SELECT id, '${CAPTURE}', $3 FROM created`,
    [id, record, capture, ttl])
  }

  async read (id: string): Promise<StoredReplay | null> {
    const [row] = await this.#query<StoredReplay>(`
      SELECT record, claimed_at IS NOT NULL AS claimed, coalesce(leased_until > now(), false) AS leased
      FROM ${this.#schema}.replays WHERE id = $1 AND expires_at > now()`, [id])
    return row ?? null
  }

  async write (id: string, record: Uint8Array): Promise<boolean> {
    const rows = await this.#query(`UPDATE ${this.#schema}.replays SET record = $2 WHERE id = $1 AND expires_at > now() RETURNING id`, [id, record])
    return rows.length === 1
  }

  async claim (id: string): Promise<boolean> {
    const rows = await this.#query(`
      WITH claimed AS (UPDATE ${this.#schema}.replays SET claimed_at = now() WHERE id = $1 AND claimed_at IS NULL AND expires_at > now() RETURNING id),
      gone AS (DELETE FROM ${this.#schema}.artefacts USING claimed WHERE artefacts.id = claimed.id AND name = '${CAPTURE}')
      SELECT id FROM claimed`, [id])
    return rows.length === 1
  }

  async lease (id: string, duration: number): Promise<void> {
    await this.#query(`UPDATE ${this.#schema}.replays SET leased_until = now() + make_interval(secs => $2) WHERE id = $1`, [id, duration / 1000])
  }

  async put (id: string, artefact: string, bytes: Uint8Array): Promise<void> {
    await this.#query(`
      INSERT INTO ${this.#schema}.artefacts (id, name, bytes) SELECT id, $2, $3 FROM ${this.#schema}.replays WHERE id = $1
      ON CONFLICT (id, name) DO UPDATE SET bytes = excluded.bytes`, [id, artefact, bytes])
  }

  async get (id: string, artefact: string): Promise<Buffer | null> {
    const [row] = await this.#query<{ bytes: Buffer }>(`
      SELECT bytes FROM ${this.#schema}.artefacts JOIN ${this.#schema}.replays USING (id)
      WHERE id = $1 AND name = $2 AND expires_at > now()`, [id, artefact])
    return row?.bytes ?? null
  }

  async remove (id: string): Promise<void> {
    await this.#query(`DELETE FROM ${this.#schema}.replays WHERE id = $1`, [id])
  }

  async #query<Row extends QueryResultRow> (sql: string, values: unknown[]): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#migrated ??= this.#migrate()
        await this.#migrated
        return (await this.#pool.query<Row>(sql, values.map(value => value instanceof Uint8Array ? Buffer.from(value) : value))).rows
      } catch (error) {
        this.#migrated = undefined
        if (this.#role === 'web' || !isConnectionError(error)) throw unavailable(error)
        await delay(Math.min(attempt * 50, RETRY_DELAY_MAX))
      }
    }
  }

  async #migrate (): Promise<void> {
    const client = await this.#pool.connect()
    try {
      const { rows } = await client.query('SELECT to_regclass($1) AS there', [`${this.#schema}.artefacts`])
      if (rows[0].there !== null) return
      // Two processes that start at once: CREATE … IF NOT EXISTS races with itself, so one goes first.
      await client.query(`
        BEGIN;
        SELECT pg_advisory_xact_lock(hashtext('geordi ${this.#schema}'));
        CREATE SCHEMA IF NOT EXISTS ${this.#schema};
        CREATE TABLE IF NOT EXISTS ${this.#schema}.replays (
          id text PRIMARY KEY,
          record bytea NOT NULL,
          claimed_at timestamptz,
          leased_until timestamptz,
          expires_at timestamptz NOT NULL
        );
        CREATE INDEX IF NOT EXISTS replays_expires_at ON ${this.#schema}.replays (expires_at);
        CREATE TABLE IF NOT EXISTS ${this.#schema}.artefacts (
          id text NOT NULL REFERENCES ${this.#schema}.replays ON DELETE CASCADE,
          name text NOT NULL,
          bytes bytea NOT NULL,
          PRIMARY KEY (id, name)
        );
        COMMIT`)
    } finally {
      client.release()
    }
  }
}
