import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { inNameOf, recorderOutsideDrivers } from '../observe.ts'
import { look, patch, type Target } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'
import { readStamp, writeStamp } from '../stamp.ts'
import { patchPromises } from './callbacks.ts'

/** Timers, immediates and the two queues: what is handed to them is called in the name of who did. */
export function patchTimers (): void {
  for (const target of [globalThis, timers]) {
    patch(target, 'setTimeout', patchedTimeout)
    patch(target, 'setInterval', original => contextual(original))
    patch(target, 'setImmediate', original => contextual(original))
    patch(target, 'clearTimeout', original => function (...args: unknown[]) {
      forget(args[0])
      return Reflect.apply(original, this, args)
    })
  }
  patch(globalThis, 'queueMicrotask', original => contextual(original))
  patch(process, 'nextTick', original => contextual(original))
  patchTimeoutClass()
  const describe = () => ({ kind: 'timer', statement: 'setTimeout', driver: 'node:timers' } as const)
  patchPromises(timersPromises, ['setTimeout'], describe)
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

function patchedTimeout (original: Function) {
  return function (this: unknown, ...args: unknown[]): unknown {
    const recorder = activeRecorder()
    const callback = args[0]
    if (recorder === undefined || typeof callback !== 'function') return Reflect.apply(original, this, args)
    if (recorder.inDriver) return Reflect.apply(original, this, [inNameOf(recorder, recorder.current, callback), ...args.slice(1)])
    const record = recorder.record()
    const wait = recorder.open(record, { kind: 'timer', statement: 'setTimeout', driver: 'node:timers' })
    const fire = function (this: unknown, ...values: unknown[]) {
      recorder.close(wait, false)
      return recorder.enter(record, callback, this, values)
    }
    const timer = Reflect.apply(original, this, [fire, ...args.slice(1)]) as object
    writeStamp(timer, wait + 1)
    return timer
  }
}

/** A timer that was cleared, or that doesn't keep the process alive, is a limit or a habit, and nobody waits for it. */
function forget (timer: unknown): void {
  if (typeof timer !== 'object' || timer === null) return
  const stamp = readStamp(timer)
  if (stamp > 0) recorderOutsideDrivers()?.discard(stamp - 1)
}

function patchTimeoutClass (): void {
  const timer = setTimeout(() => {}, 0)
  const prototype = Object.getPrototypeOf(timer) as Target
  clearTimeout(timer)
  for (const name of ['unref', 'close']) {
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
