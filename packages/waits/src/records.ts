import { floats, integers } from './columns.ts'
import type { WaitRecording } from './recording.ts'

/** So many records back the same place is looked for: callbacks that hand over themselves again go in circles. */
const LOOK_BACK = 16

/** The bytes that a record and a marker have in their columns. */
const RECORD_BYTES = 12
const MARKER_BYTES = 12

/** The points from which code may go on later, by numbers from 1, and the markers that tell whose code ran when. */
export class Records {
  readonly #parent = integers()
  /** The capture that holds the record's stack; -1 for none. */
  readonly #capture = integers()
  readonly #flags = integers()
  readonly #markerTime = floats()
  readonly #markerRecord = integers()
  readonly #shared = new Map<string, number>()

  constructor () {
    this.add(-1, -1, 0)
  }

  get length (): number {
    return this.#parent.length
  }

  get markers (): number {
    return this.#markerTime.length
  }

  get bytes (): number {
    return this.length * RECORD_BYTES + this.markers * MARKER_BYTES
  }

  parent (record: number): number {
    return this.#parent.at(record)
  }

  capture (record: number): number {
    return this.#capture.at(record)
  }

  flags (record: number): number {
    return this.#flags.at(record)
  }

  add (parent: number, capture: number, flags: number): number {
    this.#parent.push(parent)
    this.#capture.push(capture)
    return this.#flags.push(flags)
  }

  /** One record for all that have these in common. @param capture One that stands for all stacks like it. */
  share (parent: number, capture: number, flags: number): number {
    for (let above = parent, count = 0; count < LOOK_BACK && above > 0; count++) {
      if (this.capture(above) === capture && this.flags(above) === flags) return above
      above = this.parent(above)
    }
    const key = `${parent} ${capture} ${flags}`
    let record = this.#shared.get(key)
    if (record === undefined) this.#shared.set(key, record = this.add(parent, capture, flags))
    return record
  }

  mark (time: number, record: number): void {
    this.#markerTime.push(time)
    this.#markerRecord.push(record)
  }

  /** @param stacks For each capture the index of its stack. */
  toColumns (stacks: readonly number[]): Pick<WaitRecording, 'records' | 'markers'> {
    return {
      records: {
        parent: this.#parent.toArray(),
        stack: this.#capture.toArray().map(at => at < 0 ? -1 : stacks[at] as number),
        flags: this.#flags.toArray()
      },
      markers: { time: this.#markerTime.toArray(), record: this.#markerRecord.toArray() }
    }
  }
}
