import { Worker } from 'node:worker_threads'

/** A recording to be drawn; none warms the thread up. */
export interface DrawOrder {
  readonly recording?: Uint8Array
}

export interface DrawAnswer {
  readonly report?: Uint8Array
  /** Why there is none. */
  readonly error?: string
}

/**
 * Draws reports in threads, so that one which takes too long, or too much memory, can be ended, and the worker goes on with its
 * other replays meanwhile.
 */
export class Drawer {
  readonly #limit: number
  readonly #threads = new Set<Worker>()
  /** One that waits, with all it needs loaded. */
  #idle: Worker | undefined

  /** @param limit Milliseconds that a report may take. */
  constructor (limit: number) {
    this.#limit = limit
  }

  /** Has a thread ready, for the first report must not wait for Graphviz and fonts. */
  async warmUp (): Promise<void> {
    await this.#order({})
  }

  /**
   * Draws the report of a recording.
   * @param signal Ends it; rejects with its reason then.
   */
  async draw (recording: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#order({ recording }, signal)).report!
  }

  /** Ends what is being drawn, too. */
  async close (): Promise<void> {
    await Promise.all([...this.#threads].map(async thread => thread.terminate()))
  }

  async #order (order: DrawOrder, signal?: AbortSignal): Promise<DrawAnswer> {
    signal?.throwIfAborted()
    const thread = this.#idle ?? this.#start()
    this.#idle = undefined
    try {
      const answer = await this.#answer(thread, order, signal)
      if (answer.error !== undefined) throw new Error(answer.error)
      this.#idle ??= thread
      return answer
    } finally {
      if (this.#idle !== thread) thread.terminate().catch(() => {})
    }
  }

  #start (): Worker {
    const thread = new Worker(new URL('./thread.js', import.meta.url))
    this.#threads.add(thread)
    // It may also end while it waits, and an `error` that nobody hears would end the process.
    return thread.on('error', () => {}).on('exit', () => {
      this.#threads.delete(thread)
      if (this.#idle === thread) this.#idle = undefined
    })
  }

  async #answer (thread: Worker, order: DrawOrder, signal: AbortSignal | undefined): Promise<DrawAnswer> {
    const heard = new AbortController()
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        const late = () => reject(new Error(`it took longer than ${this.#limit / 1000} s, the worker's --report-limit`))
        // Where this thread was blocked itself, an answer may wait behind the timer: it is let in first.
        timer = setTimeout(() => setImmediate(late), this.#limit)
        signal?.addEventListener('abort', () => reject(signal.reason), { signal: heard.signal })
        for (const [event, listener] of Object.entries({ message: resolve, error: reject, exit: () => reject(new Error('its thread has ended')) })) {
          thread.on(event, listener)
          heard.signal.addEventListener('abort', () => thread.off(event, listener))
        }
        thread.postMessage(order)
      })
    } finally {
      clearTimeout(timer)
      heard.abort()
    }
  }
}
