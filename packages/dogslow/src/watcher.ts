import { Worker } from 'node:worker_threads'
import { DogslowError } from './errors.ts'
import type { ToMain, ToWatcher, WatcherData } from './messages.ts'
import type { Shared } from './shared.ts'
import { HEADER } from './shared.ts'

/** Milliseconds that the process waits on its end for the evidence to be written. */
const EVIDENCE_LIMIT = 1000
/** A thread that dies is started anew, but not more often than so many times in so many milliseconds: what kills it may come again at once. */
const MOST_RESTARTS = 3
const RESTARTS_WITHIN = 3_600_000
const CLOSE_LIMIT = 6000
/** Of the thread's memory: what it reads is bounded, see `watcher/sources.ts`. */
export const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128, stackSizeMb: 1 }

export interface WatcherParts {
  readonly data: WatcherData
  readonly shared: Shared
  readonly heard: (message: ToMain) => void
  /** The thread has died, by an error of its own. */
  readonly died: (error: unknown, restarts: boolean) => void
}

/** The watcher's thread, from outside. */
export class Watcher {
  readonly #parts: WatcherParts
  /** A new thread must be told of them. */
  readonly #chunks: SharedArrayBuffer[] = []
  #worker: Worker | undefined
  /** When it was started anew, of late. */
  #restarts: number[] = []
  #isUp = false
  #closing = false

  constructor (parts: WatcherParts) {
    this.#parts = parts
  }

  /** @throws DogslowError `GEORDI_DOGSLOW_UNSUPPORTED` */
  async start (): Promise<void> {
    const worker = this.#spawn()
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => {
        this.#isUp = true
        resolve()
      })
      worker.once('error', (cause: Error) => reject(new DogslowError('GEORDI_DOGSLOW_UNSUPPORTED', `dogslow's thread does not come up: ${cause.message}`, { cause })))
    })
    // It watches over requests; without a server there are none, and a process that has nothing else to do may end. Not before it is up, though.
    worker.unref()
  }

  post (message: ToWatcher): void {
    if (message.type === 'chunk') this.#chunks.push(message.buffer)
    this.#worker?.postMessage(message)
  }

  /** Waits, blocking, until the thread has written evidence that was posted. */
  waitForEvidence (): void {
    if (this.#worker === undefined) return
    const { header } = this.#parts.shared
    Atomics.wait(header, HEADER.written, 0, EVIDENCE_LIMIT)
  }

  async close (): Promise<void> {
    this.#closing = true
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise<void>(resolve => { worker.once('exit', () => resolve()) })
    worker.postMessage({ type: 'close' } satisfies ToWatcher)
    const timer = setTimeout(() => { worker.terminate().catch(() => {}) }, CLOSE_LIMIT)
    await exited
    clearTimeout(timer)
  }

  #spawn (): Worker {
    const { data, heard } = this.#parts
    let worker: Worker
    try {
      worker = new Worker(new URL('./watcher/thread.js', import.meta.url), {
        workerData: data,
        name: 'dogslow',
        // The app's own flags and preloads (`--import`) are not for this thread.
        execArgv: [],
        resourceLimits: LIMITS
      })
    } catch (cause) {
      throw new DogslowError('GEORDI_DOGSLOW_UNSUPPORTED', `dogslow can't start its thread (under --permission it needs --allow-worker): ${(cause as Error).message}`, { cause })
    }
    this.#worker = worker
    // What it prints goes nowhere: with Node's pipe from a thread to standard error, an app ends that writes to one which nobody reads.
    worker.stdout.unpipe(process.stdout).resume()
    worker.stderr.unpipe(process.stderr).resume()
    for (const buffer of this.#chunks) worker.postMessage({ type: 'chunk', buffer } satisfies ToWatcher)
    worker.on('message', heard)
    worker.once('error', error => this.#died(error))
    return worker
  }

  #died (error: unknown): void {
    this.#worker = undefined
    if (this.#closing || !this.#isUp) return
    const now = performance.now()
    this.#restarts = this.#restarts.filter(time => now - time < RESTARTS_WITHIN)
    const restarts = this.#restarts.length < MOST_RESTARTS
    this.#parts.died(error, restarts)
    if (!restarts) return
    this.#restarts.push(now)
    try {
      this.#spawn().unref()
    } catch (cause) {
      this.#parts.died(cause, false)
    }
  }
}
