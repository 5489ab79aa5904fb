import { recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { patch } from '../patch.ts'

/** `async-mutex`, its mutexes and semaphores: from asking for the lock to having it. `runExclusive` asks by the semaphore's own `acquire`. */
export function patchAsyncMutex (lock: { prototype: object }): void {
  for (const name of ['acquire', 'waitForUnlock']) {
    patch(lock.prototype, name, original => function (...args: unknown[]) {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.apply(original, this, args)
      return waitForPromise(recorder, { kind: 'lock', statement: name, driver: 'async-mutex' }, original, this, args)
    })
  }
}
