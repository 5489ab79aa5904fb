import { closeWithPromise, recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { patch } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'

interface Tarn {
  readonly max: number
  numUsed (): number
  numFree (): number
  numPendingCreates (): number
}

const FREE = 'free connection'

/** `tarn`, the pool of knex: from asking for a connection to having it. */
export function patchTarn ({ Pool }: { Pool: { prototype: object } }): void {
  patch(Pool.prototype, 'acquire', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const pool = this as Tarn
    const isFree = pool.numFree() > 0
    const record = recorder.record(true)
    const wait = isFree ? undefined : recorder.open(record, { kind: 'pool', statement: opensAnother(pool) ? 'new connection' : FREE, driver: 'tarn', connections: pool.max })
    const pending = recorder.call(record, original, this, args) as { promise: Promise<unknown> }
    // The pending operation is what the pool itself knows; its promise is what the caller waits for. One that nobody uses is no wait, but code that follows.
    pending.promise = (wait === undefined ? recorder.follow(record, pending.promise) : closeWithPromise(recorder, record, wait, pending.promise)) as Promise<unknown>
    return pending
  })
}

/** Whether the pool will open a connection rather than wait for one that is in use. */
function opensAnother (pool: Tarn): boolean {
  return pool.numUsed() + pool.numPendingCreates() < pool.max
}

/** What pools of the family of `generic-pool` tell of themselves. */
interface GenericPool {
  readonly max?: number
  readonly maxSize?: number
  /** With those that are being opened. */
  readonly size: number
  /** Nobody uses them. */
  readonly available: number
  /** How many wait, as the one or the other calls it. */
  readonly pending?: number
  readonly waiting?: number
}

/** `generic-pool`, and `sequelize-pool`, which was made of it: from asking for a resource, a connection mostly, to having it. */
export function patchGenericPool (driver: string, { Pool }: { Pool: { prototype: object } }): void {
  patch(Pool.prototype, 'acquire', original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    const pool = this as GenericPool
    const statement = waitedFor(pool)
    if (recorder === undefined || recorder.passes(statement ?? 'connection')) return Reflect.apply(original, pool, args)
    const record = recorder.record(true, statement ?? 'connection')
    // There is one that nobody uses: no wait, but code that follows.
    if (statement === undefined) return recorder.follow(record, recorder.call(record, original, pool, args))
    const wait = recorder.open(record, { kind: 'pool', statement, driver, connections: mostOf(pool) })
    return closeWithPromise(recorder, record, wait, recorder.call(record, original, pool, args))
  })
}

function waitedFor (pool: GenericPool): string | undefined {
  const { size, available, pending = 0, waiting = pending } = pool
  if (available > waiting) return undefined
  return size < mostOf(pool) ? 'new connection' : FREE
}

function mostOf ({ max = Infinity, maxSize = max }: GenericPool): number {
  return maxSize
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
