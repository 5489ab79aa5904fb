import type { JobsOptions, WorkerOptions } from 'bullmq'

/**
 * The queue's contract with BullMQ, the same on every backend: a job is a replay's id and nothing else,
 * and it is started once. The store's claim is what guarantees it; these options keep BullMQ from
 * trying, on all workers alike.
 */

/** A replay can take minutes within one blocking call of the app; the lock outlives a short absence of Redis. */
const LOCK_DURATION = 120_000
/** Jobs hold an id only; the store expires on its own. */
const KEEP = { age: 3600, count: 1000 }

export const JOB_NAME = 'replay'

export function jobOptions (id: string): JobsOptions {
  return { jobId: id, attempts: 1, removeOnComplete: KEEP, removeOnFail: KEEP }
}

export const WORKER_OPTIONS: Omit<WorkerOptions, 'connection'> = Object.freeze({
  lockDuration: LOCK_DURATION,
  maxStalledCount: 0,
  maxStartedAttempts: 1,
  removeOnComplete: KEEP,
  removeOnFail: KEEP,
  // How soon a worker that lost its connection tries again; BullMQ's default of 15 s is long for one who waits.
  runRetryDelay: 1000
})
