import { newReportId, type RawReport, type RawRequest } from '../describe.ts'
import type { Note } from '../live.ts'
import type { WatcherData } from '../messages.ts'
import type { RequestText } from '../requests.ts'
import { CHUNK, DESCRIPTOR_CALLS, HEADER, mayBeOpen, NEVER, NOTED, readJson, TAKEN, TEXT_BYTES, TIMES, type Chunk, type Shared } from '../shared.ts'
import { LATE_TICKS } from '../timing.ts'
import { askMainThread } from './ask.ts'
import type { Clock } from './clock.ts'
import { processState } from './process.ts'

/** Milliseconds that the main thread has to answer; if it does not, it is in a native call. */
const PATIENCE = 1000
const MOST_BEHIND = 20

/** The place of those that have none yet. */
const FRESH = -1

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
  readonly taken: (report: string, owner: number | undefined, places: Place[], fresh: number | undefined) => void
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
    if (this.#asking !== undefined || this.#hanging !== undefined || !mayBeOpen(shared)) return
    const now = clock.now()
    const time = now - LATE_TICKS * data.tick
    if (this.#overdue(time).length === 0 && !this.#isFreshOverdue(time, data.lowest)) return
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

  /** Requests that should have been looked at by then. */
  #overdue (time: number): Place[] {
    const found: Place[] = []
    for (const [index, { start, due }] of this.#parts.chunks.entries()) {
      for (let at = 0; at < CHUNK; at++) if (due[at]! <= time && start[at] !== 0) found.push({ place: index * CHUNK + at, start: start[at]! })
    }
    return found
  }

  /** The same of those that no tick has met. */
  #isFreshOverdue (time: number, threshold: number): boolean {
    const { times } = this.#parts.shared
    return times[TIMES.fresh] !== 0 && times[TIMES.taken] === 0 && times[TIMES.fresh]! + threshold <= time
  }

  #reportHanging (id: string, waitForReturn: boolean, note?: string): void {
    const { data, shared, clock, deliver, taken } = this.#parts
    const now = clock.now()
    const overdue = this.#overdue(now)
    const isFresh = this.#isFreshOverdue(now, data.threshold)
    if (overdue.length === 0 && !isFresh) return
    for (const { place } of overdue) {
      const chunk = this.#parts.chunks[(place / CHUNK) | 0]!
      chunk.due[place % CHUNK] = NEVER
      chunk.state[place % CHUNK] = TAKEN
    }
    if (isFresh) shared.times[TIMES.taken] = now
    const report = hangingReport(id, 'blocked', this.#parts, note)
    if (waitForReturn) this.#hanging = report
    taken(id, readNote(shared)?.place, overdue, isFresh ? now : undefined)
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
  const note = readNote(shared)
  const fresh = shared.times[TIMES.fresh]!
  const all = [...openPlaces(chunks), ...fresh === 0 ? [] : [{ place: FRESH, start: fresh }]].sort((a, b) => a.start - b.start)
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

function readNote (shared: Shared): Note | undefined {
  const { header, times } = shared
  const noted = Atomics.load(header, HEADER.note)
  if (noted === NOTED.nothing) return undefined
  if (noted === NOTED.descriptorCall) return { name: DESCRIPTOR_CALLS[header[HEADER.call]!]!, target: `descriptor ${header[HEADER.descriptor]!}`, since: times[TIMES.call]!, stack: [] }
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
  const text = place === FRESH ? undefined : readText(chunks[(place / CHUNK) | 0]!, place % CHUNK)
  return {
    ...text ?? { id: '', method: '', url: '(requests that had just come, and may have been answered)' },
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
