import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { waitedTooLong } from './as-seen.ts'
import { decodeCapture, type CapturedRequest } from './capture.ts'
import { ReplayError } from './errors.ts'
import { cancelled, Orders } from './orders.ts'
import { failure, type Replay, type ReplayState } from './record.ts'
import { Records } from './records.ts'
import { isReplayId } from './replay-id.ts'
import type { Sealer } from './seal.ts'
import { CAPTURE, type ResultStore } from './store.ts'

const gzipAsync = promisify(gzip)

/** A worker that gives no sign of life for this long (in milliseconds) is taken for dead. */
const LEASE = 30_000
const LEASE_RENEWAL = 5_000

/** A replay that a worker has taken from the queue. */
export interface ReplayTask {
  readonly id: string
  readonly request: CapturedRequest
  /** Aborted when an admin cancels the replay; the reason is a ReplayError `GEORDI_REPLAY_CANCELLED`. */
  readonly cancelled: AbortSignal
  /**
   * To be called just before the request is sent to the app; from here on it has run.
   * @throws ReplayError `GEORDI_REPLAY_CANCELLED` when it shall not run any more, `GEORDI_REPLAY_CLAIMED` when it was called
   * before, by whomever.
   */
  claim (): Promise<void>
  /** Says where the replay stands. */
  update (changes: Partial<Replay> & { readonly state: ReplayState }): Promise<void>
  /** Stores an artefact under the name by which it will be fetched, and says more of the replay with it. */
  attach (artefact: string, bytes: Uint8Array, changes?: Partial<Replay>): Promise<void>
  /** Has a function called each time that an admin wants to see what the replay does; with when that was, the record's `snapshotAt`. */
  onSnapshot (take: (at: number) => void): void
}

/** What a worker's tasks have in common. */
export interface TaskTools {
  readonly store: ResultStore
  readonly sealer: Sealer
  readonly records: Records
  readonly orders: Orders
  /** What this process has claimed, with the time after which nobody may: who rewinds the queue server can't rewind us. */
  readonly claimed: Map<string, number>
  /** Told of an order that does not open. */
  readonly onError: (error: Error) => void
}

/** Gives a queued replay to the handler, and signs of life while that has it. Nothing where it was cancelled in the queue. */
export async function perform (id: string, tools: TaskTools, handler: (task: ReplayTask) => Promise<void>): Promise<void> {
  const { store } = tools
  if (!isReplayId(id)) throw new ReplayError('GEORDI_REPLAY_UNKNOWN', 'A job in the queue is none of geordi\'s: somebody else wrote it. It was not run.')
  await store.lease(id, LEASE)
  const renewal = setInterval(() => { store.lease(id, LEASE).catch(() => {}) }, LEASE_RENEWAL)
  let unwatch = () => {}
  try {
    const opened = await openQueued(id, tools)
    if (opened === null) return
    const { sealer } = opened
    const task = new Task(opened, { ...tools, sealer, records: new Records(store, sealer) })
    unwatch = tools.orders.watch(id, (kind, order) => { if (kind === 'cancel') task.cancel(cancelled(order)); else task.snapshot(order.at) }, error => tools.onError(about(id, error)))
    await task.refuseLate()
    await handler(task)
  } finally {
    unwatch()
    clearInterval(renewal)
  }
}

interface Opened {
  readonly replay: Replay
  readonly request: CapturedRequest
  /** For what becomes of it. */
  readonly sealer: Sealer
}

/** A queued request, opened and found fit to run; null when it was cancelled. */
async function openQueued (id: string, { store, sealer, records, claimed }: TaskTools): Promise<Opened | null> {
  const stored = await store.read(id)
  if (stored === null) {
    throw new ReplayError('GEORDI_REPLAY_UNKNOWN', `Replay ${id} is in the queue but not in the store: it has expired, or somebody else wrote the job. It was not run.`)
  }
  // A job that is delivered again, by whatever mishap, must not even touch what its replay has become.
  if (claimed.has(id)) throw claimedBefore(id)
  try {
    const replay = records.open(id, stored)
    if (replay.error?.code === 'GEORDI_REPLAY_CANCELLED' && !replay.ran) return null
    // The claim can be taken back by who can write the queue server; what the sealed record says can't be changed, nor
    // can a request be had again that went with its claim. A copy of both serves until `startBefore`, on another worker.
    if (stored.claimed || replay.state !== 'queued') throw claimedBefore(id)
    const capture = await store.get(id, CAPTURE)
    if (capture === null) throw claimedBefore(id)
    return { replay, request: decodeCapture(sealer.open(id, CAPTURE, capture)), sealer: records.answering(id, stored) }
  } catch (error) {
    if ((error as ReplayError).code === 'GEORDI_REPLAY_CLAIMED') throw error
    if (stored.claimed) throw claimedBefore(id)
    // Sealed with this worker's secret, it tells the web process that the secrets differ.
    const now = Date.now()
    await records.write({ id, state: 'failed', method: '', url: '', queuedAt: now, startBefore: now, ran: false, artefacts: [], error: failure(error) })
    throw about(id, error as Error)
  }
}

class Task implements ReplayTask {
  readonly id: string
  readonly request: CapturedRequest
  readonly #tools: TaskTools
  readonly #abort = new AbortController()
  #replay: Replay
  #written: Promise<unknown> = Promise.resolve()
  #take: (at: number) => void = () => {}

  constructor ({ replay, request }: Opened, tools: TaskTools) {
    this.id = replay.id
    this.request = request
    this.#replay = replay
    this.#tools = tools
  }

  get cancelled (): AbortSignal {
    return this.#abort.signal
  }

  cancel (reason: ReplayError): void {
    this.#abort.abort(reason)
  }

  snapshot (at: number): void {
    this.#take(at)
  }

  onSnapshot (take: (at: number) => void): void {
    this.#take = take
  }

  async claim (): Promise<void> {
    await this.#claim()
    await this.update({ state: 'running', ran: true, startedAt: Date.now() })
  }

  async update (changes: Partial<Replay>): Promise<void> {
    this.#replay = { ...this.#replay, ...changes }
    const replay = this.#replay
    // One after the other: a snapshot is attached while the replay goes on, and a store may have several connections.
    const written = this.#written.catch(() => {}).then(() => this.#tools.records.write(replay))
    this.#written = written
    await written
  }

  async attach (artefact: string, bytes: Uint8Array, changes: Partial<Replay> = {}): Promise<void> {
    const { store, sealer } = this.#tools
    await store.put(this.id, artefact, sealer.seal(this.id, artefact, await gzipAsync(bytes)))
    await this.update({ ...changes, artefacts: [...this.#replay.artefacts.filter(name => name !== artefact), artefact] })
  }

  /** @throws ReplayError `GEORDI_REPLAY_LATE` when it has waited for too long; it is not run any more. */
  async refuseLate (): Promise<void> {
    if (Date.now() <= this.#replay.startBefore) return
    const late = waitedTooLong(this.#replay)
    await this.#claim()
    await this.update({ ...late, finishedAt: Date.now() })
    throw about(this.id, new ReplayError(late.error.code, late.error.message))
  }

  async #claim (): Promise<void> {
    const { store, orders, claimed } = this.#tools
    if (claimed.has(this.id)) throw claimedBefore(this.id)
    if (!await store.claim(this.id)) {
      // Who cancels a replay claims it, so that it never runs.
      const order = await orders.given(this.id, 'cancel')
      throw order === null ? claimedBefore(this.id) : cancelled(order)
    }
    const now = Date.now()
    for (const [other, limit] of claimed) if (now > limit) claimed.delete(other)
    claimed.set(this.id, this.#replay.startBefore)
  }
}

/** For an operator, who has several: whose error it is. */
function about (id: string, error: Error): Error {
  return error instanceof ReplayError ? new ReplayError(error.code, `Replay ${id}: ${error.message}`, { cause: error }) : error
}

function claimedBefore (id: string): ReplayError {
  return new ReplayError('GEORDI_REPLAY_CLAIMED', `Replay ${id} was started before and is not run again: a captured request runs at most once.`)
}

/** How a worker names itself in a replay's record. */
export function workerName (): string {
  return `${hostname()}:${process.pid}`
}
