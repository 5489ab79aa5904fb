import { callAcrossBoundary } from './boundary.ts'
import { now } from './clock.ts'
import { FLAG } from './recording.ts'
import type { Records } from './records.ts'

/** Whose code is running, and the markers that tell from when to when. */
export class Running {
  /** The record whose code is running; 0 for nobody's. */
  record = 0
  /** Whether markers are written. */
  marks = true
  /** The record of the last marker. */
  #marked = 0
  readonly #records: Records

  constructor (records: Records) {
    this.#records = records
  }

  /** Whether a driver's own code is running: what it does within is its own affair. */
  get inDriver (): boolean {
    return (this.#records.flags(this.record) & FLAG.driver) !== 0
  }

  mark (record: number): void {
    this.record = record
    this.#marked = record
    if (this.marks) this.#records.mark(now(), record)
  }

  /** A reaction's code begins, or with 0 ends. */
  react (record: number): void {
    // A driver's own code is told by the wait that is open; it needs no markers, and there is much of it.
    const marked = (this.#records.flags(record) & FLAG.driver) === 0 ? record : 0
    if (marked !== this.#marked) this.mark(marked)
    this.record = record
  }

  /** Calls code in a record's name. What called it is not shown. */
  within (record: number, fn: Function, self: unknown, args: unknown[]): unknown {
    const outer = this.record
    this.mark(record)
    try {
      return callAcrossBoundary(fn, self, args)
    } finally {
      this.mark(outer)
    }
  }

  /** Calls a driver: what it starts belongs to the record, though it runs in the caller's time. */
  inDriverOf (record: number, fn: Function, self: unknown, args: unknown[]): unknown {
    const outer = this.record
    this.record = record
    try {
      return Reflect.apply(fn, self, args)
    } finally {
      this.record = outer
    }
  }
}
