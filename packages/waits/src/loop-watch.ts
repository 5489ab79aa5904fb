import type { LoopBlock } from '@geordi/profile'
import timers from 'node:timers'
import { now } from './clock.ts'

// As they are before the recorder's own patches: a look is nobody's wait.
const { clearInterval, setInterval } = timers

/** Milliseconds between two looks. */
const EVERY = 20
/** Microseconds that the process must have run on without a look. */
const LATE = 50_000

/** Tells when the event loop stood still, by a timer that comes too late. It can't see what is going on: a profile tells that. */
export class LoopWatch {
  #blocks: LoopBlock[] = []
  #timer: NodeJS.Timeout | undefined
  #last = 0
  #cpu = 0

  start (): void {
    this.#blocks = []
    this.#last = now()
    this.#cpu = cpuTime()
    this.#timer = setInterval(() => this.#look(), EVERY)
    this.#timer.unref()
  }

  /** What was seen until the last look. */
  get blocks (): readonly LoopBlock[] {
    return this.#blocks
  }

  /** @returns What was seen, up to now. */
  stop (): readonly LoopBlock[] {
    if (this.#timer === undefined) return []
    this.#look()
    clearInterval(this.#timer)
    this.#timer = undefined
    return this.#blocks
  }

  #look (): void {
    const [time, cpu] = [now(), cpuTime()]
    // On a busy machine a look may be late because nobody lets the process run; then it did nothing either.
    const late = Math.min(time - this.#last - EVERY * 1000, cpu - this.#cpu)
    if (late >= LATE) this.#blocks.push({ start: time - late, end: time })
    this.#last = time
    this.#cpu = cpu
  }
}

/** Microseconds. */
function cpuTime (): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
