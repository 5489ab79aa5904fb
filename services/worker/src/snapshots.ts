/** Takes snapshots one at a time; of those ordered meanwhile the last counts. */
export class Snapshots {
  readonly #take: (at: number) => Promise<void>
  #wanted: number | undefined
  #running: Promise<void> | undefined

  /** @param take Must not reject. */
  constructor (take: (at: number) => Promise<void>) {
    this.#take = take
  }

  order (at: number): void {
    this.#wanted = at
    this.#running ??= this.#run().finally(() => { this.#running = undefined })
  }

  /** Resolves when none is being taken. */
  async idle (): Promise<void> {
    await this.#running
  }

  async #run (): Promise<void> {
    while (this.#wanted !== undefined) {
      const at = this.#wanted
      this.#wanted = undefined
      await this.#take(at)
    }
  }
}
