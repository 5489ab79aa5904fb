import { checkMilliseconds } from './milliseconds.ts'

/**
 * An amount of time that many boxes share. It is consumed while at least one of them is open, so nested and concurrent
 * boxes count once; when it is used up, a box that is given it fails without running its body.
 *
 * ```ts
 * const quota = new Quota(5_000)
 * for (const page of pages) await timeout(quota, () => render(page))
 * ```
 */
export class Quota {
  /** Used up before the time that `#since` starts. */
  #left: number
  #since = 0
  #open = 0

  /**
   * @param milliseconds how much there is, more than 0
   * @throws RangeError
   */
  constructor (milliseconds: number) {
    checkMilliseconds(milliseconds, 'A quota')
    this.#left = milliseconds
  }

  /** What is left, in milliseconds, at least 0. */
  remaining (): number {
    const left = this.#open > 0 ? this.#left - (performance.now() - this.#since) : this.#left
    return Math.max(0, left)
  }

  /** Whether it is being consumed. */
  running (): boolean {
    return this.#open > 0
  }

  /** @internal A box that is limited by it opens. */
  enter (): void {
    if (this.#open++ === 0) this.#since = performance.now()
  }

  /** @internal A box that was limited by it has ended; `expired` when its time is up, whatever the timer's fractions say. */
  leave (expired: boolean): void {
    if (expired) {
      this.#left = 0
      this.#since = performance.now()
    }
    if (--this.#open > 0) return
    this.#left = Math.max(0, this.#left - (performance.now() - this.#since))
  }
}
