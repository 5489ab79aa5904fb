import type { Recorder } from './recorder.ts'
import { normaliseSql } from './statement.ts'
import type { WaitStart } from './wait-log.ts'

/** So many calls in a row that come from the same place make it likely that the next one does. */
const SURE = 16
/** Of so many calls one is looked at, in the end. */
const MOST_APART = 256
/** Microseconds. After so many other code may have its turn, and a call that takes so long is told for itself; to look costs little of that. */
export const LONG = 1000

/**
 * A statement of a database within the process, which may be asked twenty thousand times, a microsecond each: to look where each call is would take
 * ten times as long. So calls of the same code are looked at more and more seldom, as long as those that are come from the same place.
 */
export class OftenCalled {
  readonly start: WaitStart
  #recorder: Recorder | undefined
  /** Its number in the recorder's log. */
  #operation = 0
  #record = 0
  #caller = 0
  /** How many calls in a row were seen to be at the same place. */
  #seen = 0
  #apart = 1
  #left = 0
  /** When it was called last. */
  #last = 0

  constructor (start: Omit<WaitStart, 'sync' | 'values'>) {
    this.start = { ...start, sync: true }
  }

  /** Forgets what it knows of the recording before. */
  operation (recorder: Recorder, operationOf: (start: WaitStart) => number): number {
    if (this.#recorder !== recorder) {
      this.#recorder = recorder
      this.#operation = operationOf(this.start)
      this.#record = this.#caller = this.#seen = this.#left = 0
      this.#apart = 1
    }
    return this.#operation
  }

  /** The record of the call before, where this one can be taken to be at the same place, or must be; 0 where it is to be looked at. */
  assumed (caller: number, time: number, spares: boolean): number {
    const isPaused = time - this.#last > LONG
    this.#last = time
    if (spares) return this.#record
    if (isPaused || caller !== this.#caller || this.#left === 0) return 0
    this.#left--
    return this.#record
  }

  /** A call was looked at. */
  found (caller: number, record: number): void {
    const isSame = record === this.#record && caller === this.#caller
    this.#record = record
    this.#caller = caller
    this.#seen = isSame ? this.#seen + 1 : 0
    this.#apart = this.#seen < SURE ? 1 : Math.min(2 * this.#apart, MOST_APART)
    this.#left = this.#apart - 1
  }
}

/** How many texts are remembered. */
const MOST_TEXTS = 2000

/** The statements of a driver that are called by one of its methods. Equal texts are one: apps prepare the same again and again. */
export class OftenCalledStatements {
  readonly #driver: string
  readonly #describe: (statement: any) => { readonly text: string, readonly target: string }
  readonly #byStatement = new WeakMap<object, OftenCalled>()
  readonly #byText = new Map<string, OftenCalled>()

  constructor (driver: string, describe: (statement: any) => { readonly text: string, readonly target: string }) {
    this.#driver = driver
    this.#describe = describe
  }

  of (statement: object): OftenCalled {
    const known = this.#byStatement.get(statement)
    if (known !== undefined) return known
    const { text, target } = this.#describe(statement)
    const key = `${target}\n${text}`
    const called = this.#byText.get(key) ?? new OftenCalled({ kind: 'sql', driver: this.#driver, target, statement: normaliseSql(text) })
    if (this.#byText.size < MOST_TEXTS) this.#byText.set(key, called)
    this.#byStatement.set(statement, called)
    return called
  }
}
