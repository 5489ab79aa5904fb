import { newReportId } from '../describe.ts'
import { mayBeOpen } from '../shared.ts'
import { askMainThread, type Asked } from './ask.ts'
import type { BlockedParts } from './blocked.ts'

/** From this share of the heap's limit on in the whole process, it is looked at every so many milliseconds: small heaps fill in no time. */
const WORTH_A_CLOSER_LOOK = 0.5
const SOON = 20
/** Below this share of the heap's limit in the whole process, the heap can't be nearly full. */
const WORTH_A_QUESTION = 0.85
/** The process's memory must have grown by this share of the limit, or so many milliseconds be over, before the main thread is asked again. */
const GROWN = 0.02
const ASK_AGAIN = 5000
/** Milliseconds. The collector keeps the thread for long when memory gets scarce; what it answers later counts as well. */
const PATIENCE = 1000

export interface MemoryParts extends Pick<BlockedParts, 'data' | 'shared' | 'clock' | 'deliver'> {
  readonly failed: (error: unknown) => void
}

/**
 * A process that fills its heap is ended by V8 from within: nothing can be written then. So it is written before. The main thread does nothing for
 * it, and is asked only where the process's memory makes it possible.
 */
export class MemoryWatch {
  readonly #parts: MemoryParts
  #asked = 0
  #askedAt = -Infinity
  #waiting = false
  #timer: NodeJS.Timeout | undefined

  constructor (parts: MemoryParts) {
    this.#parts = parts
    this.#schedule(parts.data.tick)
  }

  close (): void {
    clearTimeout(this.#timer)
  }

  #schedule (delay: number): void {
    this.#timer = setTimeout(() => {
      const rss = process.memoryUsage.rss()
      this.#schedule(rss < this.#parts.data.heapLimit * WORTH_A_CLOSER_LOOK ? this.#parts.data.tick : Math.min(SOON, this.#parts.data.tick))
      this.#look(rss).catch(this.#parts.failed)
    }, delay)
  }

  async #look (rss: number): Promise<void> {
    const { data: { heapLimit, instance }, shared, clock, deliver } = this.#parts
    if (this.#waiting || !mayBeOpen(shared)) return
    const now = clock.now()
    if (rss < heapLimit * WORTH_A_QUESTION || (rss < this.#asked + heapLimit * GROWN && now < this.#askedAt + ASK_AGAIN)) return
    this.#asked = rss
    this.#askedAt = now
    this.#waiting = true
    const done = (answer: Asked) => {
      this.#waiting = answer.type === 'silent'
      if (answer.type === 'report') deliver(answer.report)
    }
    done(await askMainThread(instance, { purpose: 'memory', cause: '', deadline: Number.MAX_VALUE, report: newReportId() }, PATIENCE, done))
  }
}
