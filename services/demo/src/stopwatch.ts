/**
 * Adds up what passes between its starts and stops, in milliseconds. Not a wrapper around the work: each call keeps its
 * own place in the call graph.
 */
export class Stopwatch {
  #total = 0
  #started = 0

  start (): void {
    this.#started = performance.now()
  }

  stop (): void {
    this.#total += performance.now() - this.#started
  }

  get milliseconds (): number {
    return tenths(this.#total)
  }
}

/** Milliseconds since a moment of `performance.now()`. */
export function since (moment: number): number {
  return tenths(performance.now() - moment)
}

/** To a tenth: beyond it the clock says more than the work. */
export function tenths (milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
