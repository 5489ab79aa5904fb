/**
 * Numbers of nodes by their ids. V8's own ids, from 1 without gaps, are looked up in an array: a map of 200,000 took 12 MB, and a
 * million lookups longer than parsing the file.
 */
export class IdTable {
  readonly #dense: Int32Array
  readonly #others = new Map<unknown, number>()

  /** @param size How many ids there will be. */
  constructor (size: number) {
    this.#dense = new Int32Array(2 * size + 2).fill(-1)
  }

  set (id: unknown, value: number): void {
    if (this.#isDense(id)) this.#dense[id] = value
    else this.#others.set(id, value)
  }

  get (id: unknown): number | undefined {
    if (!this.#isDense(id)) return this.#others.get(id)
    const value = this.#dense[id] as number
    return value < 0 ? undefined : value
  }

  #isDense (id: unknown): id is number {
    return typeof id === 'number' && id >= 0 && id < this.#dense.length && Number.isInteger(id)
  }
}
