import { createPostgresBackend, Queue, Worker } from 'bullmq'
import { Pool } from 'pg'
import { unavailable, type Backend, type BackendSettings, type ConsumeOptions, type Consumer } from './backend.ts'
import { forgetJobs, JOB_NAME, jobOptions, startWorker, WORKER_OPTIONS } from './bullmq.ts'
import { PostgresStore } from './postgres-store.ts'
import type { ResultStore, Retention } from './store.ts'

type BullQueue = ReturnType<typeof createQueue>

/** Milliseconds that a worker waits for a connection before it tries again: one that hangs must not keep it from a server that is back. */
const WORKER_CONNECTION_TIMEOUT = 10_000

/** PostgreSQL as queue server: BullMQ's PostgreSQL backend in the schema `<name>_queue`, the store in `<name>`. */
export class PostgresBackend implements Backend {
  readonly store: ResultStore
  readonly #options: BackendSettings
  readonly #pool: Pool
  #queue: BullQueue | undefined

  constructor (options: BackendSettings) {
    this.#options = options
    this.#pool = new Pool({
      connectionString: options.url,
      max: 4,
      connectionTimeoutMillis: connectionTimeout(options),
      ...(options.role === 'web' ? { query_timeout: options.timeout } : {})
    })
    hear(this.#pool)
    this.store = new PostgresStore(this.#pool, options)
  }

  async enqueue (id: string): Promise<void> {
    await this.#withQueue(queue => queue.add(JOB_NAME, {}, jobOptions(id)))
  }

  async forget (retention: Retention): Promise<void> {
    await this.store.forget(retention)
    await this.#withQueue(queue => forgetJobs(queue, retention))
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

  async #withQueue (work: (queue: BullQueue) => Promise<unknown>): Promise<void> {
    try {
      this.#queue ??= createQueue(this.#options)
      await work(this.#queue)
    } catch (error) {
      // BullMQ remembers a failed start for good, so the next attempt begins with a new queue.
      const broken = this.#queue
      this.#queue = undefined
      await broken?.close().catch(() => {})
      throw unavailable(error)
    }
  }
}

function connectionOptions (options: BackendSettings) {
  const { url, name } = options
  return {
    connectionString: url,
    schema: `${name}_queue`,
    migrate: true,
    connectionTimeoutMillis: connectionTimeout(options)
  }
}

function connectionTimeout ({ role, timeout }: BackendSettings): number {
  return role === 'web' ? timeout : WORKER_CONNECTION_TIMEOUT
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

function createQueue (options: BackendSettings) {
  const queue = new Queue(options.name, { connection: connectionOptions(options) }, createBackend)
  queue.on('error', () => {})
  return queue
}
