import { setMaxListeners } from 'node:events'
import { ReplayChild, type ReplayChildOptions } from './replay-child.ts'

/** An app that ends again and again while it waits is started at growing intervals, in milliseconds. */
const FIRST_RETRY = 1000
const LONGEST_RETRY = 60_000

/** Keeps replay processes ready, so that a replay does not wait for the app to start. */
export class SpareKeeper {
  readonly #options: ReplayChildOptions
  readonly #count: number
  readonly #log: (line: string) => void
  readonly #spares: Array<Promise<ReplayChild>> = []
  readonly #taken = new Set<ReplayChild>()
  readonly #closing = new AbortController()
  #losses = 0
  #retry: NodeJS.Timeout | undefined

  /** @param count How many spares to keep. */
  constructor (options: ReplayChildOptions, count: number, log: (line: string) => void) {
    this.#options = options
    this.#count = count
    this.#log = log
    // Each process listens to it while it starts.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Starts what is missing. Resolves when all spares are up; rejects when one can't start. */
  async fill (): Promise<void> {
    clearTimeout(this.#retry)
    while (!this.#closing.signal.aborted && this.#spares.length < this.#count) this.#add()
    await Promise.all(this.#spares)
  }

  /** A process to replay in, from the spares or a new one. The caller closes it. */
  async take (): Promise<ReplayChild> {
    const child = await this.#oldest() ?? await this.#start()
    this.#losses = 0
    this.#taken.add(child)
    child.ended.then(() => this.#taken.delete(child))
    return child
  }

  /** Ends the spares, and waits for the end of those that were taken. */
  async close (): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#retry)
    const spares = await Promise.allSettled(this.#spares.splice(0))
    // They run the app as any other process does, so it gets the time to close its connections.
    await Promise.all(spares.map(spare => spare.status === 'fulfilled' && spare.value.close()))
    await Promise.all([...this.#taken].map(child => child.ended))
  }

  async #oldest (): Promise<ReplayChild | undefined> {
    while (this.#spares.length > 0) {
      // A spare that could not start or has died since is no reason to fail: a new one may come up.
      const spare = await this.#spares.shift()!.catch(() => null)
      if (spare?.alive) return spare
    }
    return undefined
  }

  #add (): void {
    const spare = this.#start()
    this.#spares.push(spare)
    spare.then(child => child.ended.then(() => this.#lost(spare, 'ended before it was used')), () => this.#lost(spare, 'did not start'))
  }

  /** A spare that ends unused is replaced, so that the next replay finds one. */
  #lost (spare: Promise<ReplayChild>, how: string): void {
    const index = this.#spares.indexOf(spare)
    if (index === -1) return
    this.#spares.splice(index, 1)
    const pause = Math.min(FIRST_RETRY * 2 ** this.#losses++, LONGEST_RETRY)
    this.#log(`A replay process ${how}; another one starts in ${pause / 1000} s.`)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => { this.fill().catch((error: Error) => this.#log(error.message)) }, pause)
  }

  async #start (): Promise<ReplayChild> {
    return ReplayChild.start(this.#options, this.#closing.signal)
  }
}
