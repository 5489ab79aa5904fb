import { closeWithPromise, recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { patch } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'

interface Tarn {
  readonly max: number
  numUsed (): number
  numFree (): number
  numPendingCreates (): number
}

/** `tarn`, the pool of knex: from asking for a connection to having it. */
export function patchTarn ({ Pool }: { Pool: { prototype: object } }): void {
  patch(Pool.prototype, 'acquire', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const wait = recorder.open(record, { kind: 'pool', statement: opensAnother(this as Tarn) ? 'new connection' : 'free connection', driver: 'tarn' })
    const pending = recorder.call(record, original, this, args) as { promise: Promise<unknown> }
    // The pending operation is what the pool itself knows; its promise is what the caller waits for.
    pending.promise = closeWithPromise(recorder, record, wait, pending.promise) as Promise<unknown>
    return pending
  })
}

/** Whether the pool will open a connection rather than wait for one that is in use. */
function opensAnother (pool: Tarn): boolean {
  return pool.numFree() === 0 && pool.numUsed() + pool.numPendingCreates() < pool.max
}

/** `piscina`: work in another thread, with the time until one was free. */
export function patchPiscina ({ Piscina }: { Piscina: { prototype: object } }): void {
  patch(Piscina.prototype, 'run', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const { name, filename } = (args[1] ?? {}) as { name?: string, filename?: string }
    const statement = `run ${name ?? 'default'}`
    return waitForPromise(recorder, { kind: 'worker', statement, target: filename ?? '', driver: 'piscina' }, original, this, args)
  })
}
