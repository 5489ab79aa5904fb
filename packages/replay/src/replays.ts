import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { openBackend, unavailable, WEB_TIMEOUT, type Backend, type Consumer } from './backend.ts'
import { decodeCapture, encodeCapture, type CapturedRequest } from './capture.ts'
import { ReplayError } from './errors.ts'
import { FINAL_STATES, type Replay, type ReplayState } from './record.ts'
import { createSealer, type Sealer } from './seal.ts'
import { CAPTURE, type StoredReplay } from './store.ts'

const gzipAsync = promisify(gzip)
const gunzipAsync = promisify(gunzip)

const RECORD = 'record'
/** 128 random bits: an id can't be guessed. */
const ID = /^[\w-]{22}$/
/** A worker that gives no sign of life for this long (in milliseconds) is taken for dead. */
const LEASE = 30_000
const LEASE_RENEWAL = 5_000
const DEFAULTS = Object.freeze({ name: 'geordi', retention: 24 * 3600 })

export interface ReplaysOptions {
  /** Where the queue is: `redis://…`, `rediss://…`, `postgres://…` or `postgresql://…` */
  readonly url: string
  /** At least 32 characters, the same for web process and worker; several for rotation, the first one seals. */
  readonly secret: string | readonly string[]
  /** Web processes fail fast, workers wait for the server to come back. */
  readonly role: 'web' | 'worker'
  /** Keeps several apps on one server apart. @defaultValue `'geordi'` */
  readonly name?: string
  /** Seconds until a replay and its artefacts are gone. @defaultValue 86400, a day */
  readonly retention?: number
}

/** A replay that a worker has taken from the queue. */
export interface ReplayTask {
  readonly id: string
  readonly request: CapturedRequest
  /**
   * To be called just before the request is sent to the app; from here on it has run.
   * @throws ReplayError `GEORDI_REPLAY_CLAIMED` when it was called before, by whomever.
   */
  claim (): Promise<void>
  /** Says where the replay stands. */
  update (changes: Partial<Replay> & { readonly state: ReplayState }): Promise<void>
  /** Stores an artefact under the name by which it will be fetched. */
  attach (artefact: string, bytes: Uint8Array): Promise<void>
}

export interface ReplayConsumerOptions {
  /** How many replays at a time. @defaultValue 1 */
  readonly concurrency?: number
  /** Told of trouble: the queue server away, a job that was refused. */
  readonly onError: (error: Error) => void
}

/**
 * The queue of replays and what became of each: what the web process and the worker share. All that
 * goes through it to the queue server is sealed.
 */
export class Replays {
  readonly #backend: Backend
  readonly #sealer: Sealer
  readonly #retention: number

  private constructor (backend: Backend, sealer: Sealer, retention: number) {
    this.#backend = backend
    this.#sealer = sealer
    this.#retention = retention
  }

  /**
   * Checks the options; connects at the first use.
   * @throws ReplayError `GEORDI_OPTION_INVALID`
   */
  static async open (options: ReplaysOptions): Promise<Replays> {
    const { name, retention } = { ...DEFAULTS, ...options }
    if (!Number.isSafeInteger(retention) || retention <= 0) {
      throw new ReplayError('GEORDI_OPTION_INVALID', 'Option `retention` must be a whole number of seconds above 0.')
    }
    const sealer = createSealer(options.secret)
    return new Replays(await openBackend({ url: options.url, name, role: options.role }), sealer, retention)
  }

  /**
   * Queues a captured request for replay.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`; then nothing is queued.
   */
  async submit (request: CapturedRequest): Promise<Replay> {
    const id = randomBytes(16).toString('base64url')
    const replay: Replay = {
      id,
      state: 'queued',
      method: request.method,
      url: request.url,
      ...(request.by === undefined ? {} : { by: request.by }),
      queuedAt: Date.now(),
      ran: false,
      artefacts: []
    }
    const capture = this.#sealer.seal(id, CAPTURE, encodeCapture(request))
    const queued = this.#queue(replay, capture)
    try {
      // One deadline over all: somebody waits for the answer.
      await within(WEB_TIMEOUT, queued)
      return replay
    } catch (error) {
      this.#withdraw(id, queued).catch(() => {})
      throw error
    }
  }

  async #queue (replay: Replay, capture: Buffer): Promise<void> {
    await this.#backend.store.create(replay.id, this.#sealRecord(replay), capture, this.#retention)
    await this.#backend.enqueue(replay.id)
  }

  /** What its sender was told is not queued must not run when the server comes to it after all: a claim sees to that. */
  async #withdraw (id: string, queued: Promise<void>): Promise<void> {
    await queued.catch(() => {})
    if (await this.#backend.store.claim(id)) await this.#backend.store.remove(id)
  }

  /**
   * What is known of a replay; null when it never was or has expired.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`, `GEORDI_SEAL_BROKEN`
   */
  async find (id: string): Promise<Replay | null> {
    if (!ID.test(id)) return null
    const stored = await this.#backend.store.read(id)
    return stored === null ? null : withLoss(this.#openRecord(id, stored), stored)
  }

  /** An artefact's bytes; null when it is not there. */
  async artefact (id: string, name: string): Promise<Buffer | null> {
    if (!ID.test(id)) return null
    const sealed = await this.#backend.store.get(id, name)
    return sealed === null ? null : gunzipAsync(this.#sealer.open(id, name, sealed))
  }

  /** Hands each queued replay to the handler, until the consumer is closed. A handler's error goes to `onError`. */
  async consume (handler: (task: ReplayTask) => Promise<void>, { concurrency = 1, onError }: ReplayConsumerOptions): Promise<Consumer> {
    return this.#backend.consume(async id => {
      try {
        await this.#perform(id, handler)
      } catch (error) {
        onError(error as Error)
        // BullMQ's record of the job then says «failed» too.
        throw error
      }
    }, { concurrency, onError })
  }

  async close (): Promise<void> {
    await this.#backend.close()
  }

  async #perform (id: string, handler: (task: ReplayTask) => Promise<void>): Promise<void> {
    const { store } = this.#backend
    await store.lease(id, LEASE)
    const renewal = setInterval(() => { store.lease(id, LEASE).catch(() => {}) }, LEASE_RENEWAL)
    try {
      await handler(await this.#task(id))
    } finally {
      clearInterval(renewal)
    }
  }

  async #task (id: string): Promise<ReplayTask> {
    const { store } = this.#backend
    const stored = await store.read(id)
    const capture = await store.get(id, CAPTURE)
    if (stored === null || capture === null) {
      throw new ReplayError('GEORDI_REPLAY_UNKNOWN', `Replay ${id} is in the queue but not in the store: it has expired, or somebody else wrote the job. It was not run.`)
    }
    // A job that is delivered again, by whatever mishap, must not even touch what its replay has become.
    if (stored.claimed) throw claimedBefore(id)
    const refuse = async (error: unknown) => {
      // Sealed with this worker's secret, it tells the web process that the secrets differ.
      const failed = { id, state: 'failed' as const, method: '', url: '', queuedAt: Date.now(), ran: false, artefacts: [], error: failure(error) }
      await store.write(id, this.#sealRecord(failed))
      throw error
    }
    let replay: Replay
    let request: CapturedRequest
    try {
      replay = this.#openRecord(id, stored)
      request = decodeCapture(this.#sealer.open(id, CAPTURE, capture))
    } catch (error) {
      return refuse(error)
    }
    // The claim can be taken back by who can write the queue server; what the sealed record says can't be changed.
    if (replay.state !== 'queued') throw claimedBefore(id)

    const write = async (changes: Partial<Replay>) => {
      replay = { ...replay, ...changes }
      await store.write(id, this.#sealRecord(replay))
    }
    return {
      id,
      request,
      async claim () {
        if (!await store.claim(id)) throw claimedBefore(id)
        await write({ state: 'running', ran: true, startedAt: Date.now() })
      },
      update: write,
      attach: async (artefact, bytes) => {
        await store.put(id, artefact, this.#sealer.seal(id, artefact, await gzipAsync(bytes)))
        await write({ artefacts: [...replay.artefacts.filter(name => name !== artefact), artefact] })
      }
    }
  }

  #sealRecord (replay: Replay): Buffer {
    return this.#sealer.seal(replay.id, RECORD, Buffer.from(JSON.stringify(replay)))
  }

  #openRecord (id: string, stored: StoredReplay): Replay {
    return JSON.parse(this.#sealer.open(id, RECORD, stored.record).toString()) as Replay
  }
}

function claimedBefore (id: string): ReplayError {
  return new ReplayError('GEORDI_REPLAY_CLAIMED', `Replay ${id} was started before and is not run again: a captured request runs at most once.`)
}

/** @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE` when the promise has not settled in time. */
async function within<T> (milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unavailable(new Error(`no answer within ${milliseconds} ms`))), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** How a worker names itself in a replay's record. */
export function workerName (): string {
  return `${hostname()}:${process.pid}`
}

/** An error as a replay's record keeps it. */
export function failure (error: unknown): NonNullable<Replay['error']> {
  const { code, message } = error as { code?: unknown, message?: unknown }
  return {
    code: typeof code === 'string' ? code : 'GEORDI_UNEXPECTED',
    message: typeof message === 'string' ? message : String(error)
  }
}

/** A worker that died can't say so: its replay is lost when no sign of life came for the length of a lease. */
function withLoss (replay: Replay, { claimed, leased }: StoredReplay): Replay {
  const taken = replay.state !== 'queued' && !FINAL_STATES.has(replay.state)
  if (!taken || leased) return replay
  return {
    ...replay,
    state: 'lost',
    ran: claimed,
    error: {
      code: 'GEORDI_WORKER_LOST',
      message: claimed
        ? 'The worker died while it replayed the request. Whether the request did its work is unknown; it is not run again.'
        : 'The worker died before it ran the request. Nothing was run; ask for the profile again.'
    }
  }
}
