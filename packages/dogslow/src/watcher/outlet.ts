import type { DogslowEvent } from '../report.ts'

/** Events that wait for a slow sink; more are dropped, and that is told. */
const MOST_WAITING = 100
/** Milliseconds between two complaints about one sink. */
const COMPLAIN_AGAIN = 60_000

/** One sink, on its own: it takes one event after the other, and neither its slowness nor its errors reach anybody else. */
export class Outlet {
  readonly #name: string
  readonly #send: (event: DogslowEvent) => unknown
  readonly #complain: (sink: string, message: string) => void
  #queue: DogslowEvent[] = []
  #sending = Promise.resolve()
  #isSending = false
  #complained = -Infinity

  constructor (name: string, send: (event: DogslowEvent) => unknown, complain: (sink: string, message: string) => void) {
    this.#name = name
    this.#send = send
    this.#complain = complain
  }

  put (event: DogslowEvent): void {
    if (this.#queue.length >= MOST_WAITING) return this.#failed(new Error(`The sink is too slow: ${MOST_WAITING} events wait, and others are dropped.`))
    this.#queue.push(event)
    if (!this.#isSending) this.#sending = this.#work()
  }

  /** Settles when nothing waits any more. */
  async idle (): Promise<void> {
    await this.#sending
  }

  async #work (): Promise<void> {
    this.#isSending = true
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      try {
        const sent = this.#send(event)
        // A sink that is done at once has written before anything else can happen.
        if (sent instanceof Promise) await sent
      } catch (error) {
        this.#failed(error as Error)
      }
    }
    this.#isSending = false
  }

  #failed (error: Error): void {
    const now = performance.now()
    if (now - this.#complained < COMPLAIN_AGAIN) return
    this.#complained = now
    this.#complain(this.#name, error.message)
  }
}
