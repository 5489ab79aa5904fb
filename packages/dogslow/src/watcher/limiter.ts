import type { Digest, Report } from '../report.ts'
import { placeOf, seconds } from '../text.ts'
import { nameOf } from './finish.ts'
import { topFrame } from './frames.ts'

const MINUTE = 60_000
const MOST_ENTRIES = 50
/** Reports whose further lines are passed on. */
const MOST_REMEMBERED = 10_000

type Entry = Digest['entries'][number]

/** Lets each kind of report pass once in a while, and only so many a minute; counts the others. */
export class Limiter {
  readonly #perMinute: number
  readonly #repeatAfter: number
  readonly #passedAt = new Map<string, number>()
  readonly #passed = new Set<string>()
  #entries = new Map<string, Entry>()
  #minute: number | undefined
  #inMinute = 0

  constructor ({ perMinute, repeatAfter }: { readonly perMinute: number, readonly repeatAfter: number }) {
    this.#perMinute = perMinute
    this.#repeatAfter = repeatAfter
  }

  /** Whether a report is to be passed on. `now` is in milliseconds, of any clock. */
  admit (report: Report, now: number): boolean {
    // One that is told again, with more in it, or the last of a process.
    if (this.#passed.has(report.id) || report.kind === 'stopped') return true
    this.#startMinute(now)
    const last = this.#passedAt.get(report.fingerprint)
    if ((last !== undefined && now - last < this.#repeatAfter) || (this.#inMinute >= this.#perMinute && report.kind !== 'memory')) {
      const [request] = report.requests
      const top = topFrame(report.stack)
      const what = `${request === undefined ? 'no request' : nameOf(request)}${top === undefined ? '' : ` in ${placeOf(top)}`}`
      this.#count(report.fingerprint, { fingerprint: report.fingerprint, what, count: 1, longest: request?.duration ?? 0 })
      return false
    }
    this.#inMinute++
    this.#passedAt.set(report.fingerprint, now)
    this.#passed.add(report.id)
    const [oldest] = this.#passed
    if (this.#passed.size > MOST_REMEMBERED) this.#passed.delete(oldest!)
    return true
  }

  /** Counts reports that nobody has written. */
  count (counts: readonly Entry[], now: number): void {
    this.#startMinute(now)
    for (const entry of counts) this.#count(entry.what, entry)
  }

  hasPassed (report: string): boolean {
    return this.#passed.has(report)
  }

  /** What was counted, once the minute is over or `always`. */
  digest (now: number, always = false): Digest | undefined {
    if (this.#minute === undefined || (!always && now - this.#minute < MINUTE)) return undefined
    const period = Math.round(now - this.#minute)
    const entries = [...this.#entries.values()].sort((a, b) => b.count - a.count)
    this.#minute = undefined
    this.#inMinute = 0
    this.#entries = new Map()
    for (const [fingerprint, at] of this.#passedAt) if (now - at >= this.#repeatAfter) this.#passedAt.delete(fingerprint)
    if (entries.length === 0) return undefined
    const count = entries.reduce((sum, entry) => sum + entry.count, 0)
    return {
      type: 'digest',
      time: new Date().toISOString(),
      summary: `${count} more slow ${count === 1 ? 'request' : 'requests'} in ${seconds(period)}: ${entries.slice(0, 3).map(entry => `${entry.count} × ${entry.what}`).join(', ')}${entries.length > 3 ? ' …' : ''}`,
      period,
      entries: entries.slice(0, MOST_ENTRIES)
    }
  }

  #startMinute (now: number): void {
    this.#minute ??= now
  }

  #count (key: string, entry: Entry): void {
    const known = this.#entries.get(key)
    this.#entries.set(key, known === undefined ? entry : { ...known, count: known.count + entry.count, longest: Math.max(known.longest, entry.longest) })
  }
}
