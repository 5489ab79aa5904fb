import { patch, type Target } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'
import { countSync, inNameOf, recorderOutsideDrivers, waitForCallback, waitForPromise, type Measure } from '../observe.ts'
import type { WaitStart } from '../wait-log.ts'

/** How a call of a function is described, by its arguments. */
export type Describe = (name: string, args: any[]) => WaitStart

/** Functions that answer by their last argument. Without a callback they answer at once, or say what is wrong. */
export function patchCallbacks (target: Target, names: readonly string[], describe: Describe, measure?: Measure): void {
  for (const name of names) {
    patch(target, name, original => function (...args: unknown[]) {
      const recorder = activeRecorder()
      const at = args.length - 1
      const callback = args[at]
      if (recorder === undefined || typeof callback !== 'function') return Reflect.apply(original, this, args)
      if (recorder.inDriver) return Reflect.apply(original, this, args.with(at, inNameOf(recorder, recorder.current, callback)))
      return waitForCallback(recorder, describe(name, args), original, this, args, at, measure)
    })
  }
}

/** Functions that answer by a promise. */
export function patchPromises (target: Target, names: readonly string[], describe: Describe, measure?: Measure): void {
  for (const name of names) {
    patch(target, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      return waitForPromise(recorder, describe(name, args), original, this, args, measure)
    })
  }
}

/** Functions that block. */
export function patchSync (target: Target, names: readonly string[], describe: Describe, measure?: Measure): void {
  for (const name of names) {
    patch(target, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      // With a callback it answers later: `randomBytes` does both.
      if (recorder === undefined || typeof args.at(-1) === 'function') return Reflect.apply(original, this, args)
      return countSync(recorder, describe(name, args), original, this, args, measure)
    })
  }
}
