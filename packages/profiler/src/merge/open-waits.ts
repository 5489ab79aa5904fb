/** A wait that takes its share of the time. */
export interface OpenWait {
  readonly start: number
  readonly end: number
  /** The node of the tree that its time goes to. */
  readonly node: number
  /** The record that started it. */
  readonly record: number
  /** Known by whom it was started, ended within the run, and nothing that goes on beside others; others get time only where there is no such. */
  readonly isCertain: boolean
}

/** Nodes and how many waits of each are open. */
export type Snapshot = ReadonlyArray<readonly [node: number, count: number]>

/** The waits that are open at one moment after the other. */
export class OpenWaits {
  readonly #starts: readonly OpenWait[]
  readonly #ends: readonly OpenWait[]
  #started = 0
  #ended = 0
  #certain = new Map<number, number>()
  #others = new Map<number, number>()
  #snapshot: Snapshot | undefined

  constructor (waits: readonly OpenWait[]) {
    this.#starts = [...waits].sort((a, b) => a.start - b.start)
    this.#ends = [...waits].sort((a, b) => a.end - b.end)
  }

  /** When the next one starts or ends. */
  get nextChange (): number {
    return Math.min(this.#starts[this.#started]?.start ?? Infinity, this.#ends[this.#ended]?.end ?? Infinity)
  }

  /** Goes on to a later time: what starts or ends until then has. */
  advance (time: number): void {
    while (this.nextChange <= time) {
      const starting = this.#starts[this.#started]
      const ending = this.#ends[this.#ended]
      // A start before an end at the same time: a wait that took no time at all must have started.
      if (starting !== undefined && starting.start <= (ending?.end ?? Infinity)) {
        this.#started++
        this.#count(starting, 1)
      } else if (ending !== undefined) {
        this.#ended++
        this.#count(ending, -1)
      }
      this.#snapshot = undefined
    }
  }

  /** What is waited for now. */
  get snapshot (): Snapshot {
    this.#snapshot ??= [...(this.#certain.size > 0 ? this.#certain : this.#others)]
    return this.#snapshot
  }

  /** Of the open ones that which ends first: data that comes in is most likely its. */
  get nextToEnd (): OpenWait | undefined {
    const last = this.#starts[this.#started - 1]
    if (last === undefined) return undefined
    for (let at = this.#ended; at < Math.min(this.#ends.length, this.#ended + 64); at++) {
      const wait = this.#ends[at] as OpenWait
      if (wait.start <= last.start && wait.isCertain) return wait
    }
    return undefined
  }

  #count ({ node, isCertain }: OpenWait, by: number): void {
    const counts = isCertain ? this.#certain : this.#others
    const count = (counts.get(node) ?? 0) + by
    if (count === 0) counts.delete(node)
    else counts.set(node, count)
  }
}
