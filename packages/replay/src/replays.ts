import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { asSeen, waitedTooLong } from './as-seen.ts'
import { openBackend, unavailable, WEB_TIMEOUT, type Backend, type Consumer } from './backend.ts'
import { decodeCapture, encodeCapture, type CapturedRequest } from './capture.ts'
import { ReplayError } from './errors.ts'
import { failure, FINAL_STATES, type Replay, type ReplayState } from './record.ts'
import { completeOptions, type ReplaysOptions, type ReplaysSettings } from './replays-options.ts'
import { isReplayId, newReplayId } from './replay-id.ts'
import { createSealer, type Sealer } from './seal.ts'
import { CAPTURE, type Excess, type StoredReplay } from './store.ts'

const gzipAsync = promisify(gzip)
const gunzipAsync = promisify(gunzip)

const RECORD = 'record'
/** A worker that gives no sign of life for this long (in milliseconds) is taken for dead. */
const LEASE = 30_000
const LEASE_RENEWAL = 5_000

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

/** How to take replays from the queue. */
export interface ReplayConsumerOptions {
  /** How many replays at a time. @defaultValue 1 */
  readonly concurrency?: number
  /**
   * Told of trouble: a job that was refused, a handler that failed, and, as often as it is noticed, that the queue server
   * is away (ReplayError `GEORDI_QUEUE_UNAVAILABLE`); the consumer goes on by itself.
   */
  readonly onError: (error: Error) => void
  /** Told when the queue server answers again after `onError` was told that it is away. @defaultValue nobody is told */
  readonly onBack?: () => void
}

/**
 * The queue of replays and what became of each: what the web process and the worker share. All that
 * goes through it to the queue server is sealed.
 */
export class Replays {
  readonly #backend: Backend
  readonly #sealer: Sealer
  readonly #settings: ReplaysSettings
  /** What this process has claimed, with the time after which nobody may: who rewinds the queue server can't rewind us. */
  readonly #claimed = new Map<string, number>()

  private constructor (backend: Backend, sealer: Sealer, settings: ReplaysSettings) {
    this.#backend = backend
    this.#sealer = sealer
    this.#settings = settings
  }

  /**
   * Checks the options; connects at the first use.
   * @throws ReplayError `GEORDI_OPTION_INVALID`
   */
  static async open (options: ReplaysOptions): Promise<Replays> {
    const settings = completeOptions(options)
    const sealer = createSealer(settings.secret)
    return new Replays(await openBackend(settings), sealer, settings)
  }

  /**
   * Queues a captured request for replay.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`, `GEORDI_TOO_MANY_OPEN`, `GEORDI_QUEUE_FULL`; then nothing is queued.
   */
  async submit (request: CapturedRequest): Promise<Replay> {
    const id = newReplayId()
    const queuedAt = Date.now()
    const replay: Replay = {
      id,
      state: 'queued',
      method: request.method,
      url: request.shownUrl ?? request.url,
      ...(request.by === undefined ? {} : { by: request.by }),
      queuedAt,
      startBefore: queuedAt + this.#settings.maxQueueTime * 1000,
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
    const { retention: ttl, maxQueueTime: startWithin, maxOpenPerAdmin: maxOpen, maxQueued } = this.#settings
    const owner = this.#sealer.pseudonym(JSON.stringify(replay.by ?? null))
    const excess = await this.#backend.store.create(replay.id, this.#sealRecord(replay), capture, { ttl, startWithin, owner, maxOpen, maxQueued })
    if (excess !== null) throw this.#tooMany(excess)
    await this.#backend.enqueue(replay.id)
  }

  #tooMany (excess: Excess): ReplayError {
    const { maxOpenPerAdmin, maxQueued } = this.#settings
    return excess === 'open'
      ? new ReplayError('GEORDI_TOO_MANY_OPEN', `No more than ${maxOpenPerAdmin} replays of one person are taken at a time (option \`maxOpenPerAdmin\`). Ask again when one of yours has ended.`)
      : new ReplayError('GEORDI_QUEUE_FULL', `No more than ${maxQueued} replays wait for a worker at a time (option \`maxQueued\`). See that workers run, and ask again later.`)
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
    if (!isReplayId(id)) return null
    const readAt = Date.now()
    const stored = await this.#backend.store.read(id)
    return stored === null ? null : asSeen(this.#openRecord(id, stored), stored, readAt)
  }

  /**
   * An artefact's bytes; null when it is not there.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`, `GEORDI_SEAL_BROKEN`
   */
  async artefact (id: string, name: string): Promise<Buffer | null> {
    if (!isReplayId(id)) return null
    const sealed = await this.#backend.store.get(id, name)
    return sealed === null ? null : gunzipAsync(this.#sealer.open(id, name, sealed))
  }

  /** Hands each queued replay to the handler, until the consumer is closed. A handler's error goes to `onError`. */
  async consume (handler: (task: ReplayTask) => Promise<void>, { concurrency = 1, onError, onBack }: ReplayConsumerOptions): Promise<Consumer> {
    let away = false
    const tell = (error: Error) => {
      onError(error)
      if (away || (error as ReplayError).code !== 'GEORDI_QUEUE_UNAVAILABLE') return
      away = true
      // A worker's store waits for the server.
      this.#backend.store.read(newReplayId()).then(() => { away = false; onBack?.() }, () => { away = false })
    }
    return this.#backend.consume(async id => {
      try {
        await this.#perform(id, handler)
      } catch (error) {
        tell(error as Error)
        // BullMQ's record of the job then says «failed» too.
        throw error
      }
    }, { concurrency, onError: tell })
  }

  /**
   * Forgets what is not to be kept any longer, by age, count and size, in the store and in the queue. For a web process to
   * call every minute or so: by itself nothing goes but on Redis what is too old.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`
   */
  async forget (): Promise<void> {
    const { retention: ttl, retentionCount: count, retentionBytes: bytes } = this.#settings
    await this.#backend.forget({ ttl, count, bytes })
  }

  /** Closes the connections to the queue server; consumers have to be closed before. */
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

  /** A queued request, opened and found fit to run. */
  async #task (id: string): Promise<ReplayTask> {
    const { store } = this.#backend
    const stored = await store.read(id)
    if (stored === null) {
      throw new ReplayError('GEORDI_REPLAY_UNKNOWN', `Replay ${id} is in the queue but not in the store: it has expired, or somebody else wrote the job. It was not run.`)
    }
    // A job that is delivered again, by whatever mishap, must not even touch what its replay has become.
    if (stored.claimed || this.#claimed.has(id)) throw claimedBefore(id)
    let replay: Replay
    let request: CapturedRequest
    try {
      replay = this.#openRecord(id, stored)
      // The claim can be taken back by who can write the queue server; what the sealed record says can't be changed, nor
      // can a request be had again that went with its claim. A copy of both serves until `startBefore`, on another worker.
      if (replay.state !== 'queued') throw claimedBefore(id)
      const capture = await store.get(id, CAPTURE)
      if (capture === null) throw claimedBefore(id)
      request = decodeCapture(this.#sealer.open(id, CAPTURE, capture))
    } catch (error) {
      if ((error as ReplayError).code === 'GEORDI_REPLAY_CLAIMED') throw error
      // Sealed with this worker's secret, it tells the web process that the secrets differ.
      const now = Date.now()
      await this.#write({ id, state: 'failed', method: '', url: '', queuedAt: now, startBefore: now, ran: false, artefacts: [], error: failure(error) })
      throw error
    }

    const claim = async () => {
      if (this.#claimed.has(id) || !await store.claim(id)) throw claimedBefore(id)
      this.#remember(replay)
    }
    const update = async (changes: Partial<Replay>) => {
      replay = { ...replay, ...changes }
      await this.#write(replay)
    }
    if (Date.now() > replay.startBefore) {
      const late = waitedTooLong(replay)
      await claim()
      await update({ ...late, finishedAt: Date.now() })
      throw new ReplayError(late.error.code, `Replay ${id}: ${late.error.message}`)
    }
    return {
      id,
      request,
      async claim () {
        await claim()
        await update({ state: 'running', ran: true, startedAt: Date.now() })
      },
      update,
      attach: async (artefact, bytes) => {
        await store.put(id, artefact, this.#sealer.seal(id, artefact, await gzipAsync(bytes)))
        await update({ artefacts: [...replay.artefacts.filter(name => name !== artefact), artefact] })
      }
    }
  }

  async #write (replay: Replay): Promise<void> {
    await this.#backend.store.write(replay.id, this.#sealRecord(replay), FINAL_STATES.has(replay.state))
  }

  #remember ({ id, startBefore }: Replay): void {
    const now = Date.now()
    for (const [other, limit] of this.#claimed) if (now > limit) this.#claimed.delete(other)
    this.#claimed.set(id, startBefore)
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
