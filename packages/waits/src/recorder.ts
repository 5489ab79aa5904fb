import type { AskConnection } from './live/connections.ts'
import type { LockSeen } from './lock-log.ts'
import type { OftenCalled } from './often-called.ts'
import type { WaitStart } from './wait-log.ts'

/** There is one set of patches and of promise hooks, so one recorder a process. */
let active: Recorder | undefined

/** The recorder that the patches of libraries tell: `undefined` most of a process's life. */
export function activeRecorder (): Recorder | undefined {
  return active
}

/** Has the patches tell another recorder, or none. */
export function setActiveRecorder (recorder: Recorder | undefined): void {
  active = recorder
}

/**
 * What the patches of libraries tell: that something begins to be waited for, and ends; and how they call the app's code and a driver's, so that it is known in whose
 * name that runs.
 *
 * A *record* is a place that code has come from: a number, and 0 is nobody's. A *wait* is a number, too.
 */
export abstract class Recorder {
  /** Whether it still records. */
  get isRunning (): boolean {
    return active === this
  }

  /** The record whose code is running. */
  abstract get current (): number

  /** Whether a driver's own code is running: what it does within is its own affair. */
  abstract get inDriver (): boolean

  /** Whether a callback handed over now shall be called in the name of who did it. */
  abstract get followsCallbacks (): boolean

  /** Whether a wait may be asked about where it is waited for, by connections of our own. */
  abstract get asksServers (): boolean

  /**
   * Whether an operation goes by without being noted, as far as is known before its stack.
   * @param connection Of the driver's, where it can be asked by `ask` what it waits for.
   */
  passes (_statement: string, _connection?: object, _ask?: AskConnection): boolean {
    return false
  }

  /** The driver's own object of an operation that is noted as a wait: whoever asks its connection needn't tell it again. */
  noted (_operation: object | null | undefined): void {}

  /**
   * A record of the stack here. `driver`: for the call of a driver, whose own promises and callbacks shall need no record.
   * @param statement What its wait will be for, if that is opened only when its stack is gone.
   */
  abstract record (driver?: boolean, statement?: string): number

  /** A record at the place of a driver's, for the callback that the driver was handed. */
  abstract besides (driver: number): number

  /** Calls the request's own code, a hook or a handler: what called it is not shown. */
  abstract run (fn: Function, self: unknown, args: unknown[]): unknown

  /** Calls the handler of a route; the first one is the request's. @param route With an error that was made where it was registered. */
  runHandler (_route: { readonly url: string, readonly registered: Error }, fn: Function, self: unknown, args: unknown[]): unknown {
    return this.run(fn, self, args)
  }

  /** Calls code of a record's in its name. */
  abstract enter (record: number, fn: Function, self: unknown, args: unknown[]): unknown

  /** Calls a driver: what it starts belongs to the record, though it runs in the caller's time. */
  abstract call (record: number, fn: Function, self: unknown, args: unknown[]): unknown

  /**
   * Follows a driver's promise with code of a record's. What the caller gets is a promise that follows the driver's: a reaction beside it would hide
   * a rejection that nobody handles.
   */
  abstract follow (record: number, promise: unknown, done?: (value: unknown) => unknown, failed?: (error: unknown) => unknown): unknown

  /** Counts a call of a driver's that blocks the thread and may come very often. `rowsOf`: what its result tells. */
  abstract countOften (called: OftenCalled, fn: Function, self: unknown, args: unknown[], rowsOf: (result: unknown) => number | undefined): unknown

  /** Opens a wait that a record's code has started. @returns Its number. */
  abstract open (record: number, start: WaitStart): number

  /** Ends a wait. */
  abstract close (wait: number, failed: boolean, rows?: number, bytes?: number): void

  /** More of the answer that ended a wait has come: it lasted until now. */
  extend (_wait: number, _bytes: number): void {}

  /** Takes a wait back that was none: a timer that was cleared. */
  abstract discard (wait: number): void

  /** Whether a wait has not ended yet. */
  abstract isOpen (wait: number): boolean

  /** When a wait ended; `undefined` while it is open, and where that isn't kept. */
  endOf (_wait: number): number | undefined {
    return undefined
  }

  /** Notes that a wait is one for a lock, as was last seen. */
  lock (_wait: number, _seen: LockSeen): void {}

  /** Notes that a server doesn't tell which statements wait for locks. */
  silent (_target: string): void {}
}
