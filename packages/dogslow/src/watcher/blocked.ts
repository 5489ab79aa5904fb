import { newReportId, type RawReport, type RawRequest } from '../describe.ts'
import type { Note } from '../live.ts'
import type { WatcherData } from '../messages.ts'
import type { RequestText } from '../requests.ts'
import { CHUNK, HEADER, KNOWN, NEVER, readJson, TEXT_BYTES, type Chunk, type Shared } from '../shared.ts'
import { LATE_TICKS } from '../timing.ts'
import { askMainThread } from './ask.ts'
import type { Clock } from './clock.ts'
import { processState } from './process.ts'

/** Milliseconds that the main thread has to answer; if it does not, it is in a native call. */
const PATIENCE = 1000
const MOST_BEHIND = 20

export interface Place {
  readonly place: number
  readonly start: number
}

export interface BlockedParts {
  readonly data: WatcherData
  readonly shared: Shared
  readonly chunks: readonly Chunk[]
  readonly clock: Clock
  readonly deliver: (report: RawReport) => void
  /** Whether a stack has frames of the app's. */
  readonly isTelling: (stack: readonly string[]) => boolean
  /** The main thread is to know which requests were reported without its help. */
  readonly taken: (report: string, owner: number | undefined, places: Place[]) => void
}

/** Sees when the main thread lets requests get due, and reports what it does instead. */
export class BlockedWatch {
  readonly #parts: BlockedParts
  /** The question that is under way. */
  #asking: Promise<void> | undefined
  /** A report that was made without the main thread's help, until that answers. */
  #hanging: RawReport | undefined

  constructor (parts: BlockedParts) {
    this.#parts = parts
  }

  async look (): Promise<void> {
    const { data, clock, shared } = this.#parts
    if (this.#asking !== undefined || this.#hanging !== undefined || Atomics.load(shared.header, HEADER.open) === 0) return
    const now = clock.now()
    if (this.#overdue(now - LATE_TICKS * data.tick, data.lowest).length === 0) return
    this.#asking = this.#ask(now)
    try {
      await this.#asking
    } finally {
      this.#asking = undefined
    }
  }

  /** Settles when no report is on its way from a main thread that was interrupted: what it says of the report later may be here before. */
  async settled (): Promise<void> {
    await Promise.allSettled([this.#asking])
  }

  async #ask (now: number): Promise<void> {
    const { instance } = this.#parts.data
    const question = { purpose: 'blocked', cause: '', deadline: now + PATIENCE, report: newReportId() } as const
    const asked = await askMainThread(instance, question, PATIENCE, late => this.#returned(late.type === 'late' ? late.stack : []))
    if (asked.type === 'report') this.#parts.deliver(asked.report)
    else if (asked.type === 'silent') this.#reportHanging(question.report, true)
    else if (asked.type === 'failed') this.#reportHanging(question.report, false, `Its stack can't be had: ${asked.message}`)
  }

  /** Requests that should have been looked at by then. Those that no tick has met are taken for slow after `threshold` milliseconds. */
  #overdue (time: number, threshold: number): Place[] {
    const found: Place[] = []
    for (const [index, { start, due, known }] of this.#parts.chunks.entries()) {
      for (let at = 0; at < CHUNK; at++) {
        if (due[at]! > time || start[at] === 0) continue
        if (known[at] !== KNOWN.no || start[at]! + threshold <= time) found.push({ place: index * CHUNK + at, start: start[at]! })
      }
    }
    return found
  }

  #reportHanging (id: string, waitForReturn: boolean, note?: string): void {
    const { data, clock, deliver, taken } = this.#parts
    const overdue = this.#overdue(clock.now(), data.threshold)
    const hidden: Array<[Chunk, number]> = []
    if (overdue.length === 0) return
    for (const { place } of overdue) {
      const chunk = this.#parts.chunks[(place / CHUNK) | 0]!
      chunk.due[place % CHUNK] = NEVER
      hidden.push([chunk, place % CHUNK])
    }
    const report = hangingReport(id, 'blocked', this.#parts, note)
    // Not before: it would say that there is a text.
    for (const [chunk, at] of hidden) chunk.known[at] = KNOWN.taken
    if (waitForReturn) this.#hanging = report
    taken(id, readOwner(this.#parts.shared), overdue)
    deliver(report)
  }

  /** The call has returned: only now the thread tells where it is. */
  #returned (stack: string[]): void {
    const report = this.#hanging
    this.#hanging = undefined
    if (report === undefined || report.stack.length > 0 || !this.#parts.isTelling(stack)) return
    this.#parts.deliver({ ...report, stack, note: 'Where the native call returned that had blocked the thread.' })
  }
}

/** What is known without the main thread: what it wrote down before. */
export function hangingReport (id: string, kind: 'blocked' | 'stopped', { chunks, shared, clock }: Pick<BlockedParts, 'chunks' | 'shared' | 'clock'>, because?: string): RawReport {
  const now = clock.now()
  const note = Atomics.load(shared.header, HEADER.note) === 0 ? undefined : readNote(shared)
  const all = openPlaces(chunks).sort((a, b) => a.start - b.start)
  const subject = all.find(({ place }) => place === note?.place)
  const others = all.filter(open => open !== subject)
  const describe = ({ place, start }: Place) => rawRequest(chunks, place, start, now, clock)
  const shown = others.slice(0, MOST_BEHIND).map(describe)
  const requests = subject === undefined ? [] : [describe(subject)]
  const why = because ?? 'The main thread does not answer: it is in a native call, which can\'t be interrupted.'
  return {
    kind,
    id,
    time: new Date().toISOString(),
    requests: kind === 'stopped' ? [...requests, ...shown] : requests,
    behind: kind === 'stopped' ? [] : shown,
    more: others.length - shown.length,
    stack: note?.stack ?? [],
    ...subject === undefined ? { nobodys: true } : {},
    note: note === undefined ? `${why} Which request made it is not known.` : why,
    ...note === undefined ? {} : { call: { name: note.name, target: note.target, duration: Math.round(now - note.since) } },
    process: processState(all.length)
  }
}

function readOwner (shared: Shared): number | undefined {
  return Atomics.load(shared.header, HEADER.note) === 0 ? undefined : readNote(shared)?.place
}

function readNote (shared: Shared): Note | undefined {
  try {
    return readJson<Note>(shared.note)
  } catch {
    // It is being written at this moment: then the thread does not hang.
    return undefined
  }
}

function openPlaces (chunks: readonly Chunk[]): Place[] {
  return chunks.flatMap(({ start }, index) => Array.from(start).flatMap((time, at) => time === 0 ? [] : [{ place: index * CHUNK + at, start: time }]))
}

function rawRequest (chunks: readonly Chunk[], place: number, start: number, now: number, clock: Clock): RawRequest {
  const chunk = chunks[(place / CHUNK) | 0]!
  const at = place % CHUNK
  const text = chunk.known[at] === KNOWN.no ? undefined : readText(chunk, at)
  return {
    ...text ?? { id: '', method: '', url: '(a request that had just begun)' },
    time: new Date(clock.timeOrigin + start).toISOString(),
    duration: Math.round((now - start) * 10) / 10,
    phase: 'handler',
    pending: [],
    finished: []
  }
}

function readText ({ text }: Chunk, at: number): Omit<RequestText, 'route'> & { route?: string } | undefined {
  try {
    return readJson(text.subarray(at * TEXT_BYTES, (at + 1) * TEXT_BYTES))
  } catch {
    return undefined
  }
}
