import type { JobsOptions, WorkerOptions } from 'bullmq'
import { setTimeout as delay } from 'node:timers/promises'
import { trouble } from './backend.ts'
import type { Retention } from './store.ts'

/**
 * The queue's contract with BullMQ, the same on every backend: a job is a replay's id and nothing else,
 * and it is started once. The store's claim is what guarantees it; these options keep BullMQ from
 * trying, on all workers alike.
 */

/** A replay can take minutes within one blocking call of the app; the lock outlives a short absence of Redis. */
const LOCK_DURATION = 120_000
/** Jobs hold an id only; the store expires on its own. */
const KEEP = { age: 3600, count: 1000 }

/** Milliseconds between two attempts to start, while the server is away. */
const RETRY_DELAY = 1000

export const JOB_NAME = 'replay'

export function jobOptions (id: string): JobsOptions {
  return { jobId: id, attempts: 1, removeOnComplete: KEEP, removeOnFail: KEEP }
}

export const WORKER_OPTIONS: Omit<WorkerOptions, 'connection'> = Object.freeze({
  lockDuration: LOCK_DURATION,
  maxStalledCount: 0,
  maxStartedAttempts: 1,
  autorun: false,
  removeOnComplete: KEEP,
  removeOnFail: KEEP,
  // How soon a worker that lost its connection tries again; BullMQ's default of 15 s is long for one who waits.
  runRetryDelay: 1000
})

/** What of BullMQ's Queue is used here; its type differs by backend. */
interface CleanedQueue {
  clean (grace: number, limit: number, type: 'completed' | 'failed' | 'wait'): Promise<unknown>
}

/** Removes the jobs that are over, and those that nobody took while their replay was there. */
export async function forgetJobs (queue: CleanedQueue, { ttl }: Retention): Promise<void> {
  for (const [type, age] of [['completed', KEEP.age], ['failed', KEEP.age], ['wait', ttl]] as const) await queue.clean(age * 1000, 0, type)
}

/** What of BullMQ's Worker is used here; its type differs by backend. */
interface StartedWorker {
  on (event: 'error', listener: (error: Error) => void): unknown
  waitUntilReady (): Promise<unknown>
  run (): Promise<void>
  close (force?: boolean): Promise<void>
}

/**
 * Starts a worker, as soon as the server is there. BullMQ's own start is good for one attempt: where the first connection
 * fails, a worker on Redis never takes a job, and one on PostgreSQL asks for them in a loop without a pause. So each attempt
 * is a worker of its own, which runs once it is ready.
 * @returns undefined when the signal came first.
 */
export async function startWorker<Kind extends StartedWorker> (create: () => Kind, onError: (error: Error) => void, signal: AbortSignal): Promise<Kind | undefined> {
  const tell = (error: unknown) => onError(trouble(error as Error))
  const aborted = new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  aborted.catch(() => {})
  while (!signal.aborted) {
    const worker = create()
    worker.on('error', tell)
    try {
      await Promise.race([worker.waitUntilReady(), aborted])
      worker.run().catch(tell)
      return worker
    } catch (error) {
      if (!signal.aborted) tell(error)
      // Not awaited: it may wait for the server.
      worker.close(true).catch(() => {})
      await delay(RETRY_DELAY, undefined, { signal }).catch(() => {})
    }
  }
  return undefined
}
