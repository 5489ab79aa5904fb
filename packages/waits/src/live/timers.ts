import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { patchPromises } from '../builtins/callbacks.ts'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch, type Target } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'
import { LiveRecorder } from './live-recorder.ts'
import { readStamp, writeStamp } from '../stamp.ts'

/** Timers alone: immediates and the two queues are Node's own busiest functions, and nobody waits long for them. */
export function patchLiveTimers (): void {
  for (const target of [globalThis, timers]) {
    patch(target, 'setTimeout', original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      const callback = args[0]
      if (!(recorder instanceof LiveRecorder) || typeof callback !== 'function') return Reflect.apply(original, this, args)
      const statement = statementOf(args[1])
      if (recorder.passesTimer(statement)) return Reflect.apply(original, this, args)
      const record = recorder.record()
      const wait = recorder.open(record, { kind: 'timer', statement, driver: 'node:timers' })
      const timer = Reflect.apply(original, this, args.with(0, function (this: unknown, ...values: unknown[]) {
        recorder.close(wait, false)
        return recorder.enter(record, callback, this, values)
      })) as object
      writeStamp(timer, wait + 1)
      return timer
    })
    patch(target, 'clearTimeout', original => function (...args: unknown[]) {
      forget(args[0])
      return Reflect.apply(original, this, args)
    })
  }
  const timer = setTimeout(() => {}, 0)
  clearTimeout(timer)
  for (const name of ['unref', 'close']) {
    patch(Object.getPrototypeOf(timer) as Target, name, original => function (this: unknown, ...args: unknown[]) {
      forget(this)
      return Reflect.apply(original, this, args)
    })
  }
  const describe = (_name: string, [delay]: unknown[]) => ({ kind: 'timer', statement: statementOf(delay), driver: 'node:timers' } as const)
  patchPromises(timersPromises, ['setTimeout'], describe)
  patchPromises(Object.getPrototypeOf(timersPromises.scheduler) as Target, ['wait'], describe)
}

/** Delays are few, and a text that is made anew costs as much as a timer. */
const statements = new Map<unknown, string>()
const MOST_STATEMENTS = 1000

function statementOf (delay: unknown): string {
  const known = statements.get(delay)
  if (known !== undefined) return known
  const statement = `setTimeout ${Number(delay ?? 0)} ms`
  if (statements.size < MOST_STATEMENTS && typeof delay === 'number') statements.set(delay, statement)
  return statement
}

/** A timer that was cleared, or that doesn't keep the process alive, is a limit or a habit, and nobody waits for it. */
function forget (timer: unknown): void {
  if (typeof timer !== 'object' || timer === null) return
  const stamp = readStamp(timer)
  if (stamp > 0) activeRecorder()?.discard(stamp - 1)
}
