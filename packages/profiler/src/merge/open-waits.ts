/** A wait that takes its share of the time. */
export interface OpenWait {
  readonly start: number
  readonly end: number
  /** The node of the tree that its time goes to. */
  readonly node: number
  /** The record that started it. */
  readonly record: number
  /** Known by whom of the run it was started, ended within the run, and nothing that goes on beside others; others get time only where there is no such. */
  readonly isCertain: boolean
}

/** Nodes and how many waits of each are open. */
export type Snapshot = ReadonlyArray<readonly [node: number, count: number]>

/** Of all moments together so many open ones are told, before some have to stand for all; and of one moment so many at least. */
const TOLD = 1_000_000
const LEAST_TOLD = 16
/** Turns of this share of a step come to all places evenly. */
const GOLDEN = 0.618034

/** How many are open at each node. */
class Counts {
  /** New ones where a count changes: snapshots have the others in common. */
  readonly #entries: Array<readonly [node: number, count: number]> = []
  readonly #places = new Map<number, number>()
  #turn = 0

  get size (): number {
    return this.#entries.length
  }

  add (node: number, by: number): void {
    const at = this.#places.get(node) ?? this.#entries.length
    const count = (this.#entries[at]?.[1] ?? 0) + by
    if (count !== 0) {
      this.#entries[at] = [node, count]
      this.#places.set(node, at)
      return
    }
    const last = this.#entries.pop()
    this.#places.delete(node)
    if (last === undefined || last[0] === node) return
    this.#entries[at] = last
    this.#places.set(last[0], at)
  }

  /** All of them, or, of more than `most`, some from all over, and others each time. */
  some (most: number): Snapshot {
    const { length } = this.#entries
    if (length <= most) return [...this.#entries]
    const step = length / most
    const from = (this.#turn++ * GOLDEN % 1) * step
    return Array.from({ length: most }, (_, at) => this.#entries[Math.floor(from + at * step)]!)
  }
}

/** The waits that are open at one moment after the other. */
export class OpenWaits {
  readonly #starts: readonly OpenWait[]
  readonly #ends: readonly OpenWait[]
  #started = 0
  #ended = 0
  readonly #certain = new Counts()
  readonly #others = new Counts()
  readonly #most: number
  #snapshot: Snapshot | undefined

  constructor (waits: readonly OpenWait[]) {
    this.#starts = [...waits].sort((a, b) => a.start - b.start)
    this.#ends = [...waits].sort((a, b) => a.end - b.end)
    this.#most = Math.max(LEAST_TOLD, Math.floor(TOLD / waits.length))
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

  /** What is waited for now. Thousands at a time would be millions to tell, one by one at each moment; then some stand for all. */
  get snapshot (): Snapshot {
    this.#snapshot ??= (this.#certain.size > 0 ? this.#certain : this.#others).some(this.#most)
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
    counts.add(node, by)
  }
}
