import { types } from 'node:util'
import type { LoopBlock } from '@geordi/profile'
import { BOUNDARY_URL, OWN_FOLDER } from './boundary.ts'
import { now } from './clock.ts'
import { Continuations } from './continuations.ts'
import { Cost } from './cost.ts'
import { WaitsError } from './errors.ts'
import { LockLog, type LockSeen } from './lock-log.ts'
import { LoopWatch } from './loop-watch.ts'
import { callNative } from './native.ts'
import { LONG, type OftenCalled } from './often-called.ts'
import { fillOptions, type FilledOptions, type WaitsOptions } from './options.ts'
import { FLAG, MARK, RECORDING_VERSION, type WaitRecording } from './recording.ts'
import { activeRecorder, Recorder, setActiveRecorder } from './recorder.ts'
import { Records } from './records.ts'
import { Running } from './running.ts'
import { DEPTH, limitStacks, Stacks, takeStack } from './stacks.ts'
import { WaitLog, type WaitStart } from './wait-log.ts'

/**
 * Records one request. A *record* is a point from which code may go on later, with the stack there and the record that was current:
 * an `await`, a callback handed over, a driver's call. The *markers* tell which record's code ran from when to when.
 *
 * Records are numbers from 1; 0 is nobody's.
 */
export class RequestRecorder extends Recorder {
  readonly #options: FilledOptions
  readonly #stacks = new Stacks()
  readonly #records = new Records()
  readonly #log: WaitLog
  readonly #loop = new LoopWatch()
  readonly #cost = new Cost()
  readonly #locks = new LockLog()
  readonly #running = new Running(this.#records)
  readonly #continuations = new Continuations({
    running: this.#running,
    records: this.#records,
    stacks: this.#stacks,
    cost: this.#cost,
    account: start => this.#account(start),
    made: () => { if (this.#isEntering) this.#enter() }
  })

  readonly #start = now()
  #route: WaitRecording['route']
  /** Whether the handler runs and has not been seen yet. */
  #isEntering = false
  /** Whether stacks are too dear just now. */
  #spares = false

  constructor (options?: WaitsOptions) {
    super()
    this.#options = fillOptions(options)
    this.#log = new WaitLog(this.#options.values)
  }

  /** @internal Starts to record. The patches find the recorder from now on. */
  start (): void {
    if (activeRecorder() !== undefined) throw new WaitsError('GEORDI_WAITS_STATE', 'A recording of waits runs already; stop it first.')
    setActiveRecorder(this)
    this.#loop.start()
    this.#stacks.withAsync = !this.#options.continuations
    if (this.#options.continuations) this.#continuations.start()
  }

  override get followsCallbacks (): boolean {
    return this.#continuations.areFollowed || this.inDriver
  }

  override get asksServers (): boolean {
    return true
  }

  /** Ends the recording. Code that it has wrapped goes on as if it had never been. */
  stop (): WaitRecording {
    const end = now()
    if (this.isRunning) setActiveRecorder(undefined)
    const blocks = this.#loop.stop()
    this.#continuations.end()
    return this.#toRecording(end, blocks)
  }

  /** What was recorded until now; the recording goes on. Not while the recorder itself is interrupted. */
  peek (): WaitRecording {
    return this.#toRecording(now(), this.#loop.blocks)
  }

  #toRecording (end: number, blocks: readonly LoopBlock[]): WaitRecording {
    const capture = this.#stacks.toArray()
    const { functions, places, stacks } = this.#stacks
    const waits = this.#log.toColumns(end)
    return {
      version: RECORDING_VERSION,
      recorder: { folder: OWN_FOLDER, boundary: BOUNDARY_URL },
      start: this.#start,
      end,
      functions,
      places,
      stacks,
      ...this.#records.toColumns(capture),
      ...this.#route !== undefined && { route: this.#route },
      waits,
      ...this.#locks.toColumns(waits),
      blocks,
      cost: this.#cost.toRecording(this.#log.assumed)
    }
  }

  override get inDriver (): boolean {
    return this.#running.inDriver
  }

  override get current (): number {
    return this.#running.record
  }

  override run (fn: Function, self: unknown, args: unknown[]): unknown {
    // A hook that a handler has led to is not that handler.
    const wasEntering = this.#isEntering
    this.#isEntering = false
    try {
      return this.#runRoot(fn, self, args)
    } finally {
      this.#isEntering = wasEntering && this.#route?.handler === undefined
    }
  }

  #runRoot (fn: Function, self: unknown, args: unknown[]): unknown {
    return this.#within(this.#records.add(0, -1, FLAG.root), fn, self, args)
  }

  override runHandler ({ url, registered }: { url: string, registered: Error }, fn: Function, self: unknown, args: unknown[]): unknown {
    if (this.#route !== undefined) return this.run(fn, self, args)
    this.#route = { url, registered: this.#records.add(0, this.#stacks.keep(registered), 0) }
    this.#isEntering = true
    try {
      return this.#runRoot(fn, self, args)
    } finally {
      this.#isEntering = false
    }
  }

  /** A handler has made a promise, an asynchronous one its own: its function is the outermost of the stack. */
  #enter (): void {
    this.#isEntering = false
    this.#route = { ...this.#route!, handler: this.#records.add(0, this.#stacks.keep(new Error()), 0) }
  }

  override record (driver = false): number {
    if (this.inDriver) return this.#running.record
    const flags = driver ? FLAG.driver : 0
    const start = this.#cost.isTurn() ? now() : 0
    if (this.#spares) {
      if (start !== 0) this.#weigh(start)
      return this.#records.share(this.#running.record, -1, flags)
    }
    // Not by `takeStack`: each frame more costs V8 a microsecond.
    const { stackTraceLimit } = Error
    limitStacks(DEPTH)
    const error = new Error()
    limitStacks(stackTraceLimit)
    const record = this.#keep(error, this.#running.record, flags)
    if (start !== 0) this.#account(start)
    if (driver) this.#continuations.driverCalled(record)
    return record
  }

  /** A record with the stack that an error was made with. */
  #keep (error: Error, parent: number, flags: number): number {
    this.#cost.captures++
    return this.#counts ? this.#records.share(parent, this.#stacks.keepOnce(error), flags) : this.#records.add(parent, this.#stacks.keep(error), flags)
  }

  override besides (driver: number): number {
    const [parent, capture] = [this.#records.parent(driver), this.#records.capture(driver)]
    return this.#counts ? this.#records.share(parent, capture, 0) : this.#records.add(parent, capture, 0)
  }

  override enter (record: number, fn: Function, self: unknown, args: unknown[]): unknown {
    return this.#within(record, fn, self, args)
  }

  override call (record: number, fn: Function, self: unknown, args: unknown[]): unknown {
    try {
      return this.#running.inDriverOf(record, fn, self, args)
    } finally {
      this.#continuations.driverReturned(record)
    }
  }

  override follow (record: number, promise: unknown, done?: (value: unknown) => unknown, failed: (error: unknown) => unknown = raise): unknown {
    // Bluebird's and the like are nothing that V8 tells of.
    if (!types.isPromise(promise)) return promise
    return this.call(record, Promise.prototype.then, promise, [done, failed])
  }

  override countOften (called: OftenCalled, fn: Function, self: unknown, args: unknown[], rowsOf: (result: unknown) => number | undefined): unknown {
    const operation = called.operation(this, start => this.#log.operationOf(start))
    let start = now()
    if (this.#spares && this.#cost.isTurn()) this.#weighAll(start)
    let record = called.assumed(this.#running.record, start, this.#spares)
    const isAssumed = record !== 0
    if (!isAssumed) {
      record = this.#lookAt(called, start)
      start = now()
    } else this.#cost.assumed++
    const outer = this.#running.record
    this.#running.record = record
    const wait = this.#counts
      ? this.#log.open(record, start, { ...called.start, values: args }, { counted: true, placed: true })
      : this.#log.openRow(operation, record, start, args)
    let failed = true
    let rows: number | undefined
    try {
      const result: unknown = callNative(fn, self, args)
      failed = false
      rows = rowsOf(result)
      return result
    } finally {
      this.#running.record = outer
      const end = now()
      // Such a one may be a finding of its own, which must not be told at the place of the fast ones.
      if (isAssumed && end - start > LONG) this.#log.place(wait, this.#lookAt(called, end))
      this.#log.close(wait, end, failed, rows)
    }
  }

  #lookAt (called: OftenCalled, start: number): number {
    const caller = this.#running.record
    const error = takeStack()
    this.#cost.captures++
    // Others' stacks, which are read before this one is, take time of their own.
    if (this.#stacks.hasUnread) this.#pause(() => this.#stacks.read())
    const record = this.#records.share(caller, this.#stacks.keepOnce(error), FLAG.driver)
    called.found(caller, record)
    const end = now()
    this.#cost.captured(end - start, false)
    this.#weighAll(end)
    return record
  }

  override open (record: number, start: WaitStart): number {
    const isPlaced = this.#records.capture(record) >= 0
    const isNew = !isPlaced && this.#log.isNew(start)
    const place = isNew ? this.#keep(takeStack(), this.#records.parent(record), this.#records.flags(record)) : record
    return this.#log.open(place, now(), start, { counted: this.#counts, placed: isPlaced || isNew })
  }

  override close (wait: number, failed: boolean, rows?: number, bytes?: number): void {
    this.#log.close(wait, now(), failed, rows, bytes)
  }

  override extend (wait: number, bytes: number): void {
    this.#log.extend(wait, now(), bytes)
  }

  override isOpen (wait: number): boolean {
    return this.#log.isOpen(wait)
  }

  override endOf (wait: number): number | undefined {
    return this.#log.endOf(wait)
  }

  override lock (wait: number, seen: LockSeen): void {
    this.#locks.note(this.#log.single(wait), seen)
  }

  override silent (target: string): void {
    this.#locks.noteSilent(target)
  }

  override discard (wait: number): void {
    this.#log.discard(wait)
  }

  #within (record: number, fn: Function, self: unknown, args: unknown[]): unknown {
    return this.isRunning ? this.#running.within(record, fn, self, args) : Reflect.apply(fn, self, args)
  }

  /** Now and then, after a stack was taken: what it cost, and whether it's time for more than taking. */
  #account (start: number): void {
    const end = now()
    this.#cost.captured(end - start, true)
    if (this.#stacks.isFull) this.#pause(() => this.#stacks.read())
    this.#weighAll(end)
  }

  #weighAll (time: number): void {
    this.#weigh(time)
    if (!this.#counts && this.#records.bytes + this.#log.bytes > this.#options.memory) this.#startCounting(time)
  }

  /** Past the budget what costs most is left out: first continuations, then stacks, until the budget has room for some again. */
  #weigh (time: number): void {
    const isOver = this.#cost.time > this.#options.budget * (time - this.#start) + this.#options.freeTime
    if (isOver && this.#continuations.areFollowed) this.#simplify(time)
    else this.#spares = isOver && this.#cost.simplerSince !== undefined
  }

  /** The recorder's own work within the request gets a stretch of the timeline of its own. */
  #pause (work: () => void): void {
    const outer = this.#running.record
    this.#running.mark(MARK.recorder)
    const start = now()
    work()
    this.#cost.read(now() - start)
    this.#running.mark(outer)
  }

  get #counts (): boolean {
    return this.#cost.countsSince !== undefined
  }

  /**
   * Past the budget: no more records of continuations. Drivers' calls are noted with the callers that V8 knows beyond an `await`; a record
   * that were merely inherited would be wrong nearly always.
   */
  #simplify (time: number): void {
    this.#stacks.read()
    this.#continuations.stop()
    this.#cost.simplerSince = time
    this.#stacks.withAsync = true
    this.#running.mark(0)
  }

  /** Past the memory: waits are counted by operation and place, which are few, and nothing else is recorded. */
  #startCounting (time: number): void {
    if (this.#continuations.areFollowed) this.#simplify(time)
    this.#running.mark(0)
    this.#running.marks = false
    this.#cost.countsSince = time
  }
}

function raise (error: unknown): never {
  throw error
}
