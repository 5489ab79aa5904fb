import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers'
import { fileURLToPath } from 'node:url'
import workerThreads, { type Worker, type WorkerOptions } from 'node:worker_threads'
import { recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { patch, type Target } from '../patch.ts'
import type { Recorder } from '../recorder.ts'
import type { WaitStart } from '../wait-log.ts'

// As it was before the app was instrumented.
const later = setImmediate

/** What somebody waits for of a thread. */
interface Asked {
  readonly recorder: Recorder
  readonly record: number
  readonly wait: number
}

/** What each thread was asked for and has not answered yet, in its order. */
const asked = new WeakMap<Worker, Asked[]>()
const targets = new WeakMap<Worker, string>()

/**
 * Threads of the app's own: from a message to the next one that comes back, and from the start to the first one, or to the thread's end. What nobody
 * listens for is waited for by nobody.
 */
export function patchThreads (): void {
  patch(workerThreads, 'Worker', original => new Proxy(original, {
    construct (_target, args: [string | URL, WorkerOptions?], newTarget: Function) {
      const recorder = recorderOutsideDrivers()
      if (recorder === undefined) return Reflect.construct(original, args, newTarget) as Worker
      const target = fileOf(...args)
      const record = recorder.record(true)
      const wait = recorder.open(record, { ...describe('start'), target })
      try {
        const worker = recorder.call(record, () => Reflect.construct(original, args, newTarget), undefined, []) as Worker
        targets.set(worker, target)
        asked.set(worker, [{ recorder, record, wait }])
        return worker
      } catch (error) {
        recorder.close(wait, true)
        throw error
      }
    }
  }) as unknown as (...args: unknown[]) => unknown)
  const { prototype } = workerThreads.Worker
  patch(prototype, 'postMessage', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder !== undefined) ask(recorder, this as Worker)
    return Reflect.apply(original, this, args)
  })
  patch(prototype, 'terminate', original => function (...args: unknown[]) {
    const worker = this as Worker
    // Answers are wanted no more.
    for (const { recorder, wait } of asked.get(worker)?.splice(0) ?? []) recorder.discard(wait)
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    return waitForPromise(recorder, { ...describe('terminate'), target: targets.get(worker) ?? '' }, original, this, args)
  })
  patchEvents(prototype)
}

function describe (statement: string): WaitStart {
  return { kind: 'worker', statement, driver: 'node:worker_threads' }
}

function ask (recorder: Recorder, worker: Worker): void {
  const record = recorder.record(true)
  const wait = recorder.open(record, { ...describe('message'), target: targets.get(worker) ?? '' })
  const all = asked.get(worker) ?? []
  all.push({ recorder, record, wait })
  asked.set(worker, all)
  // Who waits for the answer listens by then.
  later(() => {
    const at = isHeard(worker) ? -1 : all.findIndex(each => each.wait === wait)
    if (at >= 0) all.splice(at, 1)[0]?.recorder.discard(wait)
  }).unref()
}

/** `emit` instead of listeners, which the app could count. */
function patchEvents (prototype: Target): void {
  const { emit } = EventEmitter.prototype
  Object.defineProperty(prototype, 'emit', {
    configurable: true,
    writable: true,
    value (this: Worker, ...event: [name: string, value?: unknown]): unknown {
      const [first, ...others] = answered(this, event[0])
      if (first === undefined) return Reflect.apply(emit, this, event)
      const failed = FAILURES.has(event[0]) || (event[0] === 'exit' && event[1] !== 0)
      for (const { recorder, wait } of [first, ...others]) recorder.close(wait, failed)
      return first.recorder.enter(first.recorder.besides(first.record), emit, this, event)
    }
  })
}

const FAILURES: ReadonlySet<string> = new Set(['messageerror', 'error'])

/** What an event of a thread is the answer to, which is waited for no more. */
function answered (worker: Worker, event: string): Asked[] {
  const all = asked.get(worker) ?? []
  switch (event) {
    // Of one that works by itself nobody waits for more.
    case 'online': return isHeard(worker) ? [] : all.splice(0, 1)
    case 'message':
    case 'messageerror': return all.splice(0, 1)
    case 'error':
    case 'exit': return all.splice(0)
    default: return []
  }
}

function isHeard (worker: Worker): boolean {
  return worker.listenerCount('message') + worker.listenerCount('exit') > 0
}

function fileOf (file: string | URL, options?: WorkerOptions): string {
  if (options?.eval === true) return '[eval]'
  return file instanceof URL && file.protocol === 'file:' ? fileURLToPath(file) : String(file).slice(0, 200)
}
