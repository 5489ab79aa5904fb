import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { forgetJobs, JOB_NAME, jobOptions, startWorker, WORKER_OPTIONS } from './bullmq.ts'
import { unavailable, type Backend, type BackendSettings, type ConsumeOptions, type Consumer } from './backend.ts'
import { RedisStore } from './redis-store.ts'
import type { ResultStore, Retention } from './store.ts'

const RETRY_DELAY_MAX = 1000
/** Milliseconds that a Redis which is there needs at most to see a worker off. */
const CLOSE_TIMEOUT = 2000

/**
 * Connection options by role. In the web process a command on a dead connection must fail and not wait:
 * with ioredis's defaults `queue.add` hangs for as long as Redis is away.
 */
function connectionOptions ({ role, timeout }: Pick<BackendSettings, 'role' | 'timeout'>) {
  const retryStrategy = (times: number) => Math.min(times * 50, RETRY_DELAY_MAX)
  return role === 'web'
    ? { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1, connectTimeout: timeout, commandTimeout: timeout, retryStrategy }
    : { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy }
}

/** Redis (or Valkey) as queue server. */
export class RedisBackend implements Backend {
  readonly store: ResultStore
  readonly #options: BackendSettings
  readonly #redis: Redis
  #queue: Queue | undefined
  #connecting: Promise<void> | undefined

  constructor (options: BackendSettings) {
    this.#options = options
    this.#redis = new Redis(options.url, connectionOptions(options))
    // ioredis reports each failed reconnect here; the command that suffers rejects on its own.
    this.#redis.on('error', () => {})
    this.store = new RedisStore(() => this.#ready(), options.name)
  }

  async enqueue (id: string): Promise<void> {
    await this.#withQueue(queue => queue.add(JOB_NAME, {}, jobOptions(id)))
  }

  async forget (retention: Retention): Promise<void> {
    await this.store.forget(retention)
    await this.#withQueue(queue => forgetJobs(queue, retention))
  }

  async consume (handler: (id: string) => Promise<void>, { concurrency, onError }: ConsumeOptions): Promise<Consumer> {
    const connection = new Redis(this.#options.url, connectionOptions({ ...this.#options, role: 'worker' }))
    connection.on('error', () => {})
    const running = new Set<Promise<void>>()
    const perform = (id: string) => {
      const run = handler(id).finally(() => { running.delete(run) })
      running.add(run)
      return run
    }
    const closing = new AbortController()
    const starting = startWorker(
      () => new Worker(this.#options.name, job => perform(job.id!), { ...WORKER_OPTIONS, connection, concurrency }),
      onError, closing.signal)
    return {
      async close () {
        closing.abort()
        // BullMQ's own close waits for a Redis that is away; replays under way are all that has to be waited for.
        const closed = (await starting)?.close().catch(() => {})
        await Promise.allSettled(running)
        await Promise.race([closed, delay(CLOSE_TIMEOUT, undefined, { ref: false })])
        connection.disconnect()
      }
    }
  }

  async close (): Promise<void> {
    await this.#queue?.close()
    this.#redis.disconnect()
  }

  async #withQueue (work: (queue: Queue) => Promise<unknown>): Promise<void> {
    const connection = await this.#ready()
    try {
      if (this.#queue === undefined) {
        this.#queue = new Queue(this.#options.name, { connection, skipWaitingForReady: true })
        this.#queue.on('error', () => {})
      }
      await work(this.#queue)
    } catch (error) {
      throw unavailable(error)
    }
  }

  /** The connection, once it can take commands; a web process waits for it no longer than for an answer. */
  async #ready (): Promise<Redis> {
    const redis = this.#redis
    if (redis.status === 'ready') return redis
    if (redis.status === 'wait' || redis.status === 'end') redis.connect().catch(() => {})
    if (this.#options.role === 'worker') return redis
    // One wait for all who ask meanwhile.
    this.#connecting ??= connected(redis, this.#options.timeout).finally(() => { this.#connecting = undefined })
    await this.#connecting
    return redis
  }
}

function connected (redis: Redis, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`no connection within ${timeout} ms`)), timeout)
    const settle = (error?: Error) => {
      clearTimeout(timer)
      redis.off('ready', settle).off('error', settle)
      if (error === undefined) resolve()
      else reject(unavailable(error))
    }
    redis.once('ready', settle).once('error', settle)
  })
}
