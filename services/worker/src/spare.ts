import { ReplayChild, type ReplayChildOptions } from './replay-child.ts'

/** Keeps replay processes ready, so that a replay does not wait for the app to start. */
export class SpareKeeper {
  readonly #options: ReplayChildOptions
  readonly #count: number
  readonly #spares: Array<Promise<ReplayChild>> = []
  readonly #living = new Set<ReplayChild>()
  #closed = false

  /** @param count How many spares to keep. */
  constructor (options: ReplayChildOptions, count: number) {
    this.#options = options
    this.#count = count
  }

  /** Starts what is missing. Resolves when all spares are up; rejects when one can't start. */
  async fill (): Promise<void> {
    while (!this.#closed && this.#spares.length < this.#count) this.#spares.push(this.#start())
    await Promise.all(this.#spares)
  }

  /** A process to replay in, from the spares or a new one. The caller closes it. */
  async take (): Promise<ReplayChild> {
    while (this.#spares.length > 0) {
      // A spare that could not start or has died since is no reason to fail: a new one may come up.
      const spare = await this.#spares.shift()!.catch(() => null)
      if (spare?.alive) return spare
    }
    return this.#start()
  }

  /** Ends every process that was started, spare or taken. */
  async close (): Promise<void> {
    this.#closed = true
    const spares = this.#spares.splice(0)
    await Promise.allSettled(spares)
    for (const child of this.#living) child.kill()
    await Promise.all([...this.#living].map(child => child.ended))
  }

  async #start (): Promise<ReplayChild> {
    const child = await ReplayChild.start(this.#options)
    this.#living.add(child)
    child.ended.then(() => this.#living.delete(child))
    return child
  }
}
