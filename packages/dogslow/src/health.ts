import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import { HISTORY } from './timing.ts'
import type { ProcessState } from './report.ts'

interface Sample {
  readonly time: number
  readonly late: number
  readonly utilisation: EventLoopUtilization
}

/** How the main thread does, from the ticks: a histogram of Node's would be another timer. */
export class Health {
  readonly #interval: number
  #samples: Sample[] = []

  constructor (interval: number) {
    this.#interval = interval
  }

  sample (now: number): void {
    const last = this.#samples.at(-1)
    const late = last === undefined ? 0 : Math.max(0, now - last.time - this.#interval)
    this.#samples.push({ time: now, late, utilisation: performance.eventLoopUtilization() })
    if (this.#samples.length > HISTORY * 2) this.#samples = this.#samples.slice(-HISTORY)
  }

  /** The ticks rest: how late the next one is says nothing. */
  pause (): void {
    this.#samples = []
  }

  since (start: number, now: number): Pick<ProcessState, 'eventLoop'> {
    const { rest, first } = this.#from(start)
    // A thread that is blocked now is late already.
    const late = [...rest.map(sample => sample.late), Math.max(0, now - (this.#samples.at(-1)?.time ?? now) - this.#interval)]
    if (first === undefined) return {}
    const mean = late.reduce((sum, value) => sum + value, 0) / late.length
    const { utilization } = performance.eventLoopUtilization(first.utilisation)
    return { eventLoop: { delay: { mean: round(mean), max: round(Math.max(...late)) }, utilisation: Math.round(utilization * 1000) / 1000 } }
  }

  #from (start: number): { rest: Sample[], first: Sample | undefined } {
    let at = this.#samples.findLastIndex(({ time }) => time <= start)
    if (at < 0) at = 0
    return { first: this.#samples[at], rest: this.#samples.slice(at + 1) }
  }
}

function round (milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
