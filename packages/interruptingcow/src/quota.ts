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
  // An interruption may fall between any two lines of this class: each must leave it right, and be repeatable.
  /** What there is while no box is open. */
  #left: number
  /** When it is used up, while one is. */
  #end = 0
  readonly #open = new Set<object>()

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
    return Math.max(0, this.running() ? this.#end - performance.now() : this.#left)
  }

  /** Whether it is being consumed. */
  running (): boolean {
    return this.#open.size > 0
  }

  /** @internal A box that is limited by it opens. */
  enter (box: object): void {
    if (this.#open.size === 0) this.#end = performance.now() + this.#left
    this.#open.add(box)
  }

  /** @internal A box that was limited by it has ended; `expired` when its time is up, whatever the timer's fractions say. */
  leave (box: object, expired: boolean): void {
    if (!this.#open.has(box)) return
    if (expired) this.#end = performance.now()
    if (this.#open.size === 1) this.#left = this.remaining()
    this.#open.delete(box)
  }
}
