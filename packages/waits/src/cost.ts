import type { RecordingCost } from './recording.ts'

/** One in so many captures is timed; the others are taken to cost the same. */
const TIMED = 16
/** More microseconds than a capture takes. */
const LONGEST = 60

/** What a recording has cost so far, in microseconds, and what was left out for its sake. */
export class Cost {
  /** Stacks that were taken. */
  captures = 0
  /** Calls that could have taken one, and were taken to be where the one like them was. */
  assumed = 0
  simplerSince: number | undefined
  countsSince: number | undefined
  #asked = 0
  #captureTime = 0
  #readTime = 0

  get time (): number {
    return this.#captureTime + this.#readTime
  }

  /** Whether it is this call's turn to be timed, of all that could take a stack. */
  isTurn (): boolean {
    return this.#asked++ % TIMED === 0
  }

  /** A stack was taken: on its turn, for those that weren't timed, too; or each is timed. */
  captured (time: number, isTurn: boolean): void {
    // The process may have been taken off the processor meanwhile; that isn't the capture's cost.
    this.#captureTime += Math.min(time, LONGEST) * (isTurn ? TIMED : 1)
  }

  read (time: number): void {
    this.#readTime += time
  }

  /** @param assumed Of those that the log counts. */
  toRecording (assumed: number): RecordingCost {
    return {
      time: this.time,
      captures: this.captures,
      ...this.assumed + assumed > 0 && { assumed: this.assumed + assumed },
      ...this.simplerSince !== undefined && { simplerSince: this.simplerSince },
      ...this.countsSince !== undefined && { countsSince: this.countsSince }
    }
  }
}
