import { promiseHooks } from 'node:v8'
import { now } from './clock.ts'
import type { Cost } from './cost.ts'
import { FLAG, LEVEL } from './recording.ts'
import type { Records } from './records.ts'
import type { Running } from './running.ts'
import { DEPTH, limitStacks, type Stacks } from './stacks.ts'
import { readStamp, writeStamp } from './stamp.ts'

/** Records of the recordings before: their promises may be settled in a later one, and are none of its. */
let earlier = 0

/** What a recorder lends to those that follow its promises. */
interface Means {
  readonly running: Running
  readonly records: Records
  readonly stacks: Stacks
  readonly cost: Cost
  /** To be called after a stack was taken that was to be timed. */
  readonly account: (start: number) => void
  /** Told of each promise that is made, before it is looked at. */
  readonly made: () => void
}

/**
 * Follows the request across `await` and `then`: each promise that waits for another bears a record of where that was, and its code runs in that
 * record's name.
 */
export class Continuations {
  readonly #running: Running
  readonly #records: Records
  readonly #stacks: Stacks
  readonly #cost: Cost
  readonly #account: Means['account']
  readonly #made: Means['made']
  #earlier = 0
  /** What a driver's call has just noted, for the `await` that follows it at once. */
  #driver = 0
  #driverMarker = -1
  /** The last record of an `await`, for that of the caller who awaits right after it. */
  #await = 0
  #awaitMarker = -1
  #awaitInit = -1
  #inits = 0
  #stopHooks: (() => void) | undefined

  constructor ({ running, records, stacks, cost, account, made }: Means) {
    this.#running = running
    this.#records = records
    this.#stacks = stacks
    this.#cost = cost
    this.#account = account
    this.#made = made
  }

  start (): void {
    this.#earlier = earlier
    this.#stopHooks = promiseHooks.createHook({
      init: (promise, parent) => this.#init(promise, parent),
      before: promise => this.#running.react(Math.abs(this.#recordOf(promise))),
      after: () => this.#running.react(0)
    }) as () => void
  }

  stop (): void {
    this.#stopHooks?.()
    this.#stopHooks = undefined
  }

  /** The recording is over: what bears its records is none of the next one's. */
  end (): void {
    this.stop()
    earlier += this.#records.length
  }

  get areFollowed (): boolean {
    return this.#stopHooks !== undefined
  }

  /** A driver's stack has been taken. */
  driverCalled (record: number): void {
    this.#driver = record
    this.#driverMarker = this.#records.markers
  }

  /** A driver's call has returned: whoever called it may await its promise now. */
  driverReturned (record: number): void {
    if (this.#driver === record) this.#driverMarker = this.#records.markers
  }

  /** A promise is made: without a parent by itself, else for what follows another, as a reaction. */
  #init (promise: object, parent: object | undefined): void {
    const current = this.#running.record
    this.#made()
    if (parent === undefined || this.#running.inDriver) {
      // Negative: only until somebody awaits it. For a thenable, whose `then` V8 calls later in this promise's name.
      if (current === 0) return
      this.#inits++
      this.#stamp(promise, parent === undefined ? -current : current)
      return
    }
    const awaited = this.#recordOf(parent)
    const record = this.#follow(awaited)
    this.#await = record
    this.#awaitMarker = this.#records.markers
    this.#awaitInit = this.#inits
    this.#stamp(promise, record)
    if (awaited < 0 && -awaited === current) this.#stamp(parent, -record)
  }

  /** A record of the `await` here, with a stack that is known already where there is one. @param awaited The record of the promise that is awaited. */
  #follow (awaited: number): number {
    const current = this.#running.record
    const marker = this.#records.markers
    if (this.#driver !== 0 && Math.abs(awaited) === this.#driver && this.#driverMarker === marker) {
      return this.#records.add(current, this.#records.capture(this.#driver), FLAG.borrowed)
    }
    if (awaited < 0 && this.#awaitMarker === marker && this.#awaitInit === this.#inits && this.#isOfNow(-awaited)) {
      // An async function has just come to its first `await`, and its caller awaits its promise: the caller is in the stack taken there.
      return this.#records.add(current, this.#records.capture(this.#await), (this.#records.flags(this.#await) | FLAG.borrowed) + LEVEL)
    }
    const { stackTraceLimit } = Error
    const start = this.#cost.isTurn() ? now() : 0
    limitStacks(DEPTH)
    this.#cost.captures++
    const capture = this.#stacks.keep(new Error())
    limitStacks(stackTraceLimit)
    if (start !== 0) this.#account(start)
    return this.#records.add(current, capture, 0)
  }

  /** The record that a promise bears, negative until somebody awaits it; 0 where it bears none of this recording. */
  #recordOf (promise: object): number {
    const stamp = readStamp(promise)
    if (stamp > this.#earlier) return stamp - this.#earlier
    return stamp < -this.#earlier ? stamp + this.#earlier : 0
  }

  #stamp (promise: object, record: number): void {
    writeStamp(promise, record < 0 ? record - this.#earlier : record + this.#earlier)
  }

  /** Whether a promise that bears this was made by the code that runs now. */
  #isOfNow (stamp: number): boolean {
    return stamp === this.#running.record || this.#records.parent(stamp) === this.#running.record
  }
}
