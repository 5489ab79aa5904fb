import type { FrameKind, Profile } from '@geordi/profile'

/** What the run did for some time: nothing but wait, or run code of somebody's. */
export type Doing = 'waiting' | 'own' | 'other' | 'recording'

/** The run as a row of stretches of time in which it did one kind of thing, without gaps. */
export interface Stretches {
  readonly start: Float64Array
  readonly end: Float64Array
  readonly doing: readonly Doing[]
}

/** Joins the samples to stretches: there are far fewer of these. */
export function stretchesOf ({ tree, samples, startTime }: Profile, kinds: readonly FrameKind[], isWait: readonly boolean[], recorder: number): Stretches {
  const starts: number[] = []
  const ends: number[] = []
  const doing: Doing[] = []
  let time = startTime
  samples.node.forEach((node, at) => {
    const frame = tree.frame[node] as number
    const now = frame === recorder ? 'recording' : isWait[frame] === true || kinds[frame] === 'idle' ? 'waiting' : kinds[frame] === 'app' ? 'own' : 'other'
    const end = time + (samples.duration[at] as number)
    if (doing.at(-1) === now) ends[ends.length - 1] = end
    else {
      starts.push(time)
      ends.push(end)
      doing.push(now)
    }
    time = end
  })
  return { start: Float64Array.from(starts), end: Float64Array.from(ends), doing }
}

/** Tells for any two times how long the run did some kinds of things between them. */
export class Clock {
  readonly #start: number[] = []
  readonly #end: number[] = []
  /** The time counted before each stretch. */
  readonly #before: number[] = []

  constructor ({ start, end, doing }: Stretches, counted: ReadonlySet<Doing>) {
    let sum = 0
    doing.forEach((what, at) => {
      if (!counted.has(what)) return
      const [from, to] = [start[at] as number, end[at] as number]
      if (this.#end.at(-1) === from) this.#end[this.#end.length - 1] = to
      else {
        this.#start.push(from)
        this.#end.push(to)
        this.#before.push(sum)
      }
      sum += to - from
    })
  }

  between (from: number, to: number): number {
    return Math.max(0, this.#until(to) - this.#until(from))
  }

  #until (time: number): number {
    let low = 0
    let high = this.#start.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#start[middle] as number <= time) low = middle + 1
      else high = middle
    }
    const at = low - 1
    if (at < 0) return 0
    return (this.#before[at] as number) + Math.min(time, this.#end[at] as number) - (this.#start[at] as number)
  }
}
