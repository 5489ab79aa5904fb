import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { JOB_NAME, jobOptions, startWorker, WORKER_OPTIONS } from './bullmq.ts'
import { unavailable, WEB_TIMEOUT, type Backend, type BackendOptions, type ConsumeOptions, type Consumer } from './backend.ts'
import { CAPTURE, type ResultStore, type StoredReplay } from './store.ts'

const RETRY_DELAY_MAX = 1000
/** Milliseconds that a Redis which is there needs at most to see a worker off. */
const CLOSE_TIMEOUT = 2000

/**
 * Connection options by role. In the web process a command on a dead connection must fail and not wait:
 * with ioredis's defaults `queue.add` hangs for as long as Redis is away.
 */
function connectionOptions (role: BackendOptions['role']) {
  const retryStrategy = (times: number) => Math.min(times * 50, RETRY_DELAY_MAX)
  return role === 'web'
    ? { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1, connectTimeout: WEB_TIMEOUT, commandTimeout: WEB_TIMEOUT, retryStrategy }
    : { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy }
}

/** Redis (or Valkey) as queue server. */
export class RedisBackend implements Backend {
  readonly store: ResultStore
  readonly #options: BackendOptions
  readonly #redis: Redis
  #queue: Queue | undefined
  #connecting: Promise<void> | undefined

  constructor (options: BackendOptions) {
    this.#options = options
    this.#redis = new Redis(options.url, connectionOptions(options.role))
    // ioredis reports each failed reconnect here; the command that suffers rejects on its own.
    this.#redis.on('error', () => {})
    this.store = new RedisStore(() => this.#ready(), options.name)
  }

  async enqueue (id: string): Promise<void> {
    const connection = await this.#ready()
    try {
      if (this.#queue === undefined) {
        this.#queue = new Queue(this.#options.name, { connection, skipWaitingForReady: true })
        this.#queue.on('error', () => {})
      }
      await this.#queue.add(JOB_NAME, {}, jobOptions(id))
    } catch (error) {
      throw unavailable(error)
    }
  }

  async consume (handler: (id: string) => Promise<void>, { concurrency, onError }: ConsumeOptions): Promise<Consumer> {
    const connection = new Redis(this.#options.url, connectionOptions('worker'))
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

  /** The connection, once it can take commands; a web process waits for it less than a second. */
  async #ready (): Promise<Redis> {
    const redis = this.#redis
    if (redis.status === 'ready') return redis
    if (redis.status === 'wait' || redis.status === 'end') redis.connect().catch(() => {})
    if (this.#options.role === 'worker') return redis
    // One wait for all who ask meanwhile.
    this.#connecting ??= connected(redis).finally(() => { this.#connecting = undefined })
    await this.#connecting
    return redis
  }
}

function connected (redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`no connection within ${WEB_TIMEOUT} ms`)), WEB_TIMEOUT)
    const settle = (error?: Error) => {
      clearTimeout(timer)
      redis.off('ready', settle).off('error', settle)
      if (error === undefined) resolve()
      else reject(unavailable(error))
    }
    redis.once('ready', settle).once('error', settle)
  })
}

/**
 * One hash a replay (`record`, `claimed`, artefacts as `a:<name>`), which expires as a whole, and a key
 * whose expiry is the worker's lease.
 */
class RedisStore implements ResultStore {
  readonly #ready: () => Promise<Redis>
  readonly #name: string

  constructor (ready: () => Promise<Redis>, name: string) {
    this.#ready = ready
    this.#name = name
  }

  async create (id: string, record: Uint8Array, capture: Uint8Array, ttl: number): Promise<void> {
    await this.#run(redis => succeed(redis.multi()
      .hset(this.#key(id), 'record', Buffer.from(record), field(CAPTURE), Buffer.from(capture))
      .expire(this.#key(id), ttl)
      .exec()))
  }

  async read (id: string): Promise<StoredReplay | null> {
    const [[record, claimed], leased] = await this.#run(async redis => Promise.all([
      redis.hmgetBuffer(this.#key(id), 'record', 'claimed'),
      redis.exists(this.#leaseKey(id))
    ]))
    return record == null ? null : { record, claimed: claimed != null, leased: leased === 1 }
  }

  async write (id: string, record: Uint8Array): Promise<boolean> {
    return this.#whereItIs(id, 'record', record)
  }

  async claim (id: string): Promise<boolean> {
    const script = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end redis.call('HDEL', KEYS[1], ARGV[1]) return redis.call('HSETNX', KEYS[1], 'claimed', '1')"
    return await this.#run(redis => redis.eval(script, 1, this.#key(id), field(CAPTURE))) === 1
  }

  async lease (id: string, duration: number): Promise<void> {
    await this.#run(redis => redis.set(this.#leaseKey(id), '1', 'PX', duration))
  }

  async put (id: string, artefact: string, bytes: Uint8Array): Promise<void> {
    await this.#whereItIs(id, field(artefact), bytes)
  }

  async get (id: string, artefact: string): Promise<Buffer | null> {
    return this.#run(redis => redis.hgetBuffer(this.#key(id), field(artefact)))
  }

  async remove (id: string): Promise<void> {
    await this.#run(redis => redis.del(this.#key(id), this.#leaseKey(id)))
  }

  /** Sets a field of a replay that is still there: writing to an expired one would leave a key that never expires. */
  async #whereItIs (id: string, name: string, bytes: Uint8Array): Promise<boolean> {
    const script = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return 1"
    return await this.#run(redis => redis.eval(script, 1, this.#key(id), name, Buffer.from(bytes))) === 1
  }

  async #run<T> (command: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = await this.#ready()
    try {
      return await command(redis)
    } catch (error) {
      throw unavailable(error)
    }
  }

  #key (id: string): string {
    return `${this.#name}:replay:${id}`
  }

  #leaseKey (id: string): string {
    return `${this.#name}:lease:${id}`
  }
}

function field (artefact: string): string {
  return `a:${artefact}`
}

/** MULTI's EXEC resolves even where a command in it failed. */
async function succeed (replies: Promise<Array<[Error | null, unknown]> | null>): Promise<void> {
  for (const [error] of await replies ?? []) {
    if (error !== null) throw error
  }
}
