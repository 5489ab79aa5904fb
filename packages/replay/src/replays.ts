import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { asSeen } from './as-seen.ts'
import { openBackend, unavailable, type Backend, type Consumer } from './backend.ts'
import { encodeCapture, type CapturedRequest } from './capture.ts'
import { ReplayError } from './errors.ts'
import { insisting } from './insist.ts'
import { Line } from './line.ts'
import { cancelled, Orders, type Order } from './orders.ts'
import { failure, FINAL_STATES, type Replay } from './record.ts'
import { Records } from './records.ts'
import { completeOptions, type ReplaysOptions, type ReplaysSettings } from './replays-options.ts'
import { isReplayId, newReplayId } from './replay-id.ts'
import { createSealer, type Sealer } from './seal.ts'
import { CAPTURE, type Excess } from './store.ts'
import { perform, type ReplayTask } from './task.ts'

const gunzipAsync = promisify(gunzip)

/** How often it is tried to take back what could not be queued in time, each time this many milliseconds later than the time before: a minute in all. */
const WITHDRAWALS = 20
const WITHDRAWAL_PAUSE = 300

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

/** A replay as it was when something was ordered of it. */
export interface OrderedReplay {
  readonly replay: Replay
  /** When that was, in milliseconds since 1970; undefined where it came too late or too early, and was not ordered. */
  readonly at?: number
}

/**
 * The queue of replays and what became of each: what the web process and the worker share. All that
 * goes through it to the queue server is sealed.
 */
export class Replays {
  readonly #backend: Backend
  readonly #sealer: Sealer
  readonly #records: Records
  readonly #orders: Orders
  readonly #settings: ReplaysSettings
  readonly #closing = new AbortController()
  readonly #line: Line
  /** What this process has claimed, with the time after which nobody may: who rewinds the queue server can't rewind us. */
  readonly #claimed = new Map<string, number>()

  private constructor (backend: Backend, sealer: Sealer, settings: ReplaysSettings) {
    this.#backend = backend
    this.#sealer = sealer
    this.#records = new Records(backend.store, sealer)
    this.#orders = new Orders(backend.store, sealer)
    this.#settings = settings
    this.#line = new Line(settings.timeout)
    // As many wait for it as are withdrawn at once.
    setMaxListeners(0, this.#closing.signal)
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
    let queued: Promise<void> | undefined
    try {
      await this.#line.pass(() => (queued = this.#queue(replay, request)), () => unavailable(new Error(`no answer within ${this.#settings.timeout} ms`)))
      return replay
    } catch (error) {
      if (queued !== undefined) this.#withdraw(id, queued).catch(() => {})
      throw error
    }
  }

  async #queue (replay: Replay, request: CapturedRequest): Promise<void> {
    const capture = this.#sealer.seal(replay.id, CAPTURE, encodeCapture(request))
    const { retention: ttl, maxQueueTime: startWithin, maxOpenPerAdmin: maxOpen, maxQueued } = this.#settings
    const owner = this.#sealer.pseudonym(JSON.stringify(replay.by ?? null))
    const excess = await this.#backend.store.create(replay.id, this.#records.seal(replay), capture, { ttl, startWithin, owner, maxOpen, maxQueued })
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
    // A closed connection would be opened again.
    this.#closing.signal.throwIfAborted()
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.#isOurs(id)) await this.#backend.store.remove(id)
        return
      } catch (error) {
        // A server that was too slow to queue it may be too slow for this as well; nobody waits for it.
        if (attempt === WITHDRAWALS) throw error
        await delay(attempt * WITHDRAWAL_PAUSE, undefined, { ref: false, signal: this.#closing.signal })
      }
    }
  }

  /** Takes a replay from the workers, or finds that it was: by a claim of ours whose answer came too late. A worker's has its lease. */
  async #isOurs (id: string): Promise<boolean> {
    const { store } = this.#backend
    if (await store.claim(id)) return true
    const stored = await store.read(id)
    return stored !== null && stored.claimed && !stored.leased
  }

  /**
   * What is known of a replay; null when it never was or has expired.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`, `GEORDI_SEAL_BROKEN`
   */
  async find (id: string): Promise<Replay | null> {
    if (!isReplayId(id)) return null
    const readAt = Date.now()
    const stored = await this.#backend.store.read(id)
    return stored === null ? null : asSeen(this.#records.open(id, stored), stored, readAt)
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

  /**
   * Ends a replay that has not ended. One that waits for its worker, or whose app still starts, is never run; one that runs is
   * ended by its worker, within a second or two, with what was recorded until then.
   * @param by Who wants it, if that is known.
   * @returns null when there is no such replay.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`, `GEORDI_SEAL_BROKEN`
   */
  async cancel (id: string, by?: string): Promise<OrderedReplay | null> {
    const replay = await this.find(id)
    if (replay === null) return null
    if (FINAL_STATES.has(replay.state)) return { replay }
    const order = orderOf(by)
    // The note first: the worker that finds the replay claimed then finds out why.
    await this.#orders.give(id, 'cancel', order)
    if (!await this.#backend.store.claim(id)) return { replay, at: order.at }
    const ended: Replay = { ...replay, state: 'failed', finishedAt: order.at, error: failure(cancelled(order)) }
    await this.#records.write(ended)
    return { replay: ended, at: order.at }
  }

  /**
   * Asks the worker that runs a replay for the artefact `SNAPSHOT`: what the replay has done until now. The record's
   * `snapshotAt` is the order's `at` when it is there. Of a replay that does not run there is none.
   * @param by Who wants it, if that is known.
   * @returns null when there is no such replay.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE`, `GEORDI_SEAL_BROKEN`
   */
  async snapshot (id: string, by?: string): Promise<OrderedReplay | null> {
    const replay = await this.find(id)
    if (replay === null) return null
    if (replay.state !== 'running') return { replay }
    const order = orderOf(by)
    await this.#orders.give(id, 'snapshot', order)
    return { replay, at: order.at }
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
    const store = insisting(this.#backend.store, { onError, onBack })
    const tools = { store, sealer: this.#sealer, records: new Records(store, this.#sealer), orders: this.#orders, claimed: this.#claimed, onError: tell }
    return this.#backend.consume(async id => {
      try {
        await perform(id, tools, handler)
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
    this.#closing.abort()
    await this.#backend.close()
  }
}

function orderOf (by: string | undefined): Order {
  return { at: Date.now(), ...(by === undefined ? {} : { by }) }
}
