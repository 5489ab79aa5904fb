import { types } from 'node:util'
import { activeRecorder, type Recorder } from './recorder.ts'
import type { WaitStart } from './wait-log.ts'

/** What a driver's result tells of its size. */
export interface Size {
  readonly rows?: number | undefined
  readonly bytes?: number | undefined
}

/** What to make of a driver's result. */
export type Measure = (result: any) => Size

/** The callback to hand over in place of `fn`: called in the record's name. */
export function inNameOf (recorder: Recorder, record: number, fn: Function): (...args: unknown[]) => unknown {
  return function (this: unknown, ...args) {
    return recorder.enter(record, fn, this, args)
  }
}

/** Calls a driver's function that answers by a promise or throws: the wait lasts until the promise is settled. */
export function waitForPromise (recorder: Recorder, start: WaitStart, fn: Function, self: unknown, args: unknown[], measure?: Measure): unknown {
  const record = recorder.record(true)
  const wait = recorder.open(record, start)
  try {
    const result = recorder.call(record, fn, self, args)
    return closeWithPromise(recorder, record, wait, result, measure)
  } catch (error) {
    recorder.close(wait, true)
    throw error
  }
}

export function closeWithPromise (recorder: Recorder, record: number, wait: number, result: unknown, measure?: Measure): unknown {
  if (!types.isPromise(result)) {
    recorder.close(wait, false)
    return result
  }
  const done = (value: unknown) => {
    const { rows, bytes } = measure?.(value) ?? {}
    recorder.close(wait, false, rows, bytes)
    return value
  }
  const failed = (error: unknown) => {
    recorder.close(wait, true)
    throw error
  }
  return recorder.follow(record, result, done, failed)
}

/** Calls a driver's function that answers by the callback `args[at]`: `(error, result)`. */
export function waitForCallback (recorder: Recorder, start: WaitStart, fn: Function, self: unknown, args: unknown[], at: number, measure?: Measure): unknown {
  const record = recorder.record(true)
  const wait = recorder.open(record, start)
  const inner = closeWithCallback(recorder, record, wait, args[at] as Function, measure)
  try {
    return recorder.call(record, fn, self, args.with(at, inner))
  } catch (error) {
    recorder.close(wait, true)
    throw error
  }
}

export function closeWithCallback (recorder: Recorder, record: number, wait: number, callback: Function, measure?: Measure): Function {
  // A driver that is called by another calls back that driver's own code.
  const outer = recorder.inDriver ? record : recorder.besides(record)
  return function (this: unknown, ...results: unknown[]) {
    const [error, value] = results
    const { rows, bytes } = error ? {} : measure?.(value) ?? {}
    recorder.close(wait, Boolean(error), rows, bytes)
    return recorder.enter(outer, callback, this, results)
  }
}

/** Calls a function that blocks the thread: counted, and its time stays its caller's. */
export function countSync (recorder: Recorder, start: Omit<WaitStart, 'sync'>, fn: Function, self: unknown, args: unknown[], measure?: Measure): unknown {
  const record = recorder.record(true)
  const wait = recorder.open(record, { ...start, sync: true })
  try {
    const result: unknown = recorder.call(record, fn, self, args)
    const { rows, bytes } = measure?.(result) ?? {}
    recorder.close(wait, false, rows, bytes)
    return result
  } catch (error) {
    recorder.close(wait, true)
    throw error
  }
}

/** The recording for a call from outside of a driver: what a driver does within itself is part of its own wait. */
export function recorderOutsideDrivers (): Recorder | undefined {
  const recorder = activeRecorder()
  return recorder === undefined || recorder.inDriver ? undefined : recorder
}
