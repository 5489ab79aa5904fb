import { countSync, recorderOutsideDrivers, waitForCallback, waitForPromise } from '../observe.ts'
import { patch } from '../patch.ts'
import type { WaitStart } from '../wait-log.ts'

/** `bcrypt` and `argon2`, which work in libuv's threads, where nothing else tells of them. */
export function patchPasswordHashes (driver: string, module: object): void {
  for (const name of ['hash', 'compare', 'verify']) {
    const start: WaitStart = { kind: 'threadpool', statement: name, target: driver, driver }
    patch(module, name, original => function (this: unknown, ...args: unknown[]): unknown {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      const at = args.findLastIndex(argument => typeof argument === 'function')
      return at < 0 ? waitForPromise(recorder, start, original, this, args) : waitForCallback(recorder, start, original, this, args, at)
    })
    patch(module, `${name}Sync`, original => function (this: unknown, ...args: unknown[]): unknown {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      return countSync(recorder, { ...start, statement: `${name}Sync` }, original, this, args)
    })
  }
}
