import type { LockSeen } from '../lock-log.ts'
import type { Sighting } from './lock-watch.ts'

/**
 * How long one statement has waited for locks, from what its server told at each look. That time is the server's: this process may be too busy to read
 * its answers for a while, and counts only what it doesn't wait.
 */
export class LockTimes {
  #lock: Pick<LockSeen, 'kind' | 'holder'> | undefined
  /** Seconds of the waits before this one. */
  #before = 0
  /** On the server's clock: when this wait began, as far as is known, which one it is, and when it was last seen. */
  #begun: number | undefined
  #since: number | undefined
  #last = 0
  /** Microseconds on the clock of `now()`: since when it doesn't wait, and when it was asked for the last time that it didn't. */
  #freeSince: number | undefined
  #freeStill: number
  #free = 0

  constructor (start: number) {
    this.#freeSince = this.#freeStill = start
  }

  /** A look found it waiting. @param sent When it was asked for. */
  waits ({ kind, holder, at, since, precision = 0 }: Sighting<object>, sent: number): void {
    // Who held it first: later they may be about to end.
    this.#lock ??= { kind, holder }
    if (this.#begun === undefined || since !== this.#since) {
      this.#endWait()
      this.#begun = Math.min(at, since ?? at)
      this.#since = since
      const freeUntil = since === undefined ? this.#freeStill : sent - (at - since + precision) * 1e6
      this.#free += Math.max(0, freeUntil - (this.#freeSince ?? freeUntil))
      this.#freeSince = undefined
    }
    this.#last = Math.max(this.#last, at)
  }

  /** A look found it not waiting. @param received When that was known. */
  works (sent: number, received: number): void {
    this.#endWait()
    this.#freeSince ??= received
    this.#freeStill = sent
  }

  /** What is known; `undefined` as long as it was never seen waiting. */
  get seen (): LockSeen | undefined {
    if (this.#lock === undefined) return undefined
    return { ...this.#lock, least: (this.#before + this.#current) * 1e6, free: this.#free, freeSince: this.#freeSince }
  }

  get #current (): number {
    return this.#begun === undefined ? 0 : Math.max(0, this.#last - this.#begun)
  }

  #endWait (): void {
    this.#before += this.#current
    this.#begun = undefined
  }
}
