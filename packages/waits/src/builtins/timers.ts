import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { inNameOf, recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { look, patch, type Target } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { readStamp, writeStamp } from '../stamp.ts'
import { patchPromises } from './callbacks.ts'

/** Timers, immediates and the two queues: what is handed to them is called in the name of who did. */
export function patchTimers (): void {
  for (const target of [globalThis, timers]) {
    patch(target, 'setTimeout', patchedTimeout)
    patch(target, 'setInterval', patchedInterval)
    patch(target, 'setImmediate', original => contextual(original))
    for (const name of ['clearTimeout', 'clearInterval']) {
      patch(target, name, original => function (...args: unknown[]) {
        forget(args[0])
        return Reflect.apply(original, this, args)
      })
    }
  }
  patch(globalThis, 'queueMicrotask', original => contextual(original))
  patch(process, 'nextTick', original => contextual(original))
  patchTimeoutClass()
  const describe = () => ({ kind: 'timer', statement: 'setTimeout', driver: 'node:timers' } as const)
  patchPromises(timersPromises, ['setTimeout'], describe)
  patch(timersPromises, 'setInterval', patchedIterator)
  patchPromises(Object.getPrototypeOf(timersPromises.scheduler) as Target, ['wait'], describe)
}

/** A function whose first argument is called later. */
function contextual (original: Function) {
  return function (this: unknown, ...args: unknown[]): unknown {
    const recorder = activeRecorder()
    if (recorder === undefined || typeof args[0] !== 'function' || !recorder.followsCallbacks) return Reflect.apply(original, this, args)
    // Outside of all that is recorded there is nobody in whose name it could be called.
    if (recorder.current > 0) args[0] = inNameOf(recorder, recorder.record(), args[0])
    return Reflect.apply(original, this, args)
  }
}

/** @param start Begins a timer for a callback of the request's own, by `begin`. */
function timer (start: (recorder: Recorder, callback: Function, begin: (callback: Function) => object) => object) {
  return (original: Function) => function (this: unknown, ...args: unknown[]): unknown {
    const recorder = activeRecorder()
    const callback = args[0]
    if (recorder === undefined || typeof callback !== 'function') return Reflect.apply(original, this, args)
    const begin = (called: Function) => Reflect.apply(original, this, [called, ...args.slice(1)]) as object
    return recorder.inDriver ? begin(inNameOf(recorder, recorder.current, callback)) : start(recorder, callback, begin)
  }
}

const patchedTimeout = timer((recorder, callback, begin) => {
  const record = recorder.record()
  const wait = recorder.open(record, { kind: 'timer', statement: 'setTimeout', driver: 'node:timers' })
  const timer = begin(function (this: unknown, ...values: unknown[]) {
    recorder.close(wait, false)
    return recorder.enter(record, callback, this, values)
  })
  writeStamp(timer, wait + 1)
  return timer
})

const TICK = { kind: 'timer', statement: 'setInterval', driver: 'node:timers' } as const

/** One wait from tick to tick, until it is cleared. */
const patchedInterval = timer((recorder, callback, begin) => {
  const record = recorder.record()
  const timer = begin(function (this: object, ...values: unknown[]) {
    const stamp = readStamp(this)
    if (stamp > 0) recorder.close(stamp - 1, false)
    try {
      return recorder.enter(record, callback, this, values)
    } finally {
      // What the callback has cleared, by a number too, has no other tick.
      if (recorder.isRunning && readStamp(this) > 0 && (this as { _destroyed?: boolean })._destroyed !== true) writeStamp(this, recorder.open(record, TICK) + 1)
    }
  })
  writeStamp(timer, recorder.open(record, TICK) + 1)
  return timer
})

/** That of `node:timers/promises`: who asks for the next tick waits for it. */
function patchedIterator (original: Function) {
  return function (this: unknown, ...args: unknown[]): unknown {
    const iterator = Reflect.apply(original, this, args) as AsyncIterator<unknown>
    const { next } = iterator
    const value = (...given: unknown[]) => {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(next, iterator, given)
      return waitForPromise(recorder, { kind: 'timer', statement: 'next of setInterval', driver: 'node:timers' }, next, iterator, given)
    }
    Object.defineProperty(iterator, 'next', { value, writable: true, configurable: true })
    return iterator
  }
}

/** A timer that was cleared, or that doesn't keep the process alive, is a limit or a habit, and nobody waits for it. */
function forget (timer: unknown): void {
  const known = typeof timer === 'number' || typeof timer === 'string' ? numbered.get(Number(timer))?.deref() : timer
  if (typeof known !== 'object' || known === null) return
  const stamp = readStamp(known)
  if (stamp === 0) return
  writeStamp(known, 0)
  recorderOutsideDrivers()?.discard(stamp - 1)
}

/** Timers that are known by numbers, to be cleared. */
const numbered = new Map<number, WeakRef<object>>()

function patchTimeoutClass (): void {
  const timer = setTimeout(() => {}, 0)
  const prototype = Object.getPrototypeOf(timer) as Target
  clearTimeout(timer)
  patchNumbers(prototype)
  for (const name of ['unref', 'close', Symbol.dispose]) {
    patch(prototype, name, original => {
      const replacement = function (this: unknown, ...args: unknown[]) {
        forget(this)
        return Reflect.apply(original, this, args)
      }
      look(replacement, original)
      return replacement
    })
  }
}

/** `+timer` gives a number that clears it as well. */
function patchNumbers (prototype: Target): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, Symbol.toPrimitive)
  const toPrimitive: unknown = descriptor?.value
  if (typeof toPrimitive !== 'function') return
  const value = function (this: object) {
    const number = Reflect.apply(toPrimitive, this, []) as number
    if (readStamp(this) > 0) numbered.set(number, new WeakRef(this))
    return number
  }
  look(value, toPrimitive)
  Object.defineProperty(prototype, Symbol.toPrimitive, { ...descriptor, value })
}
