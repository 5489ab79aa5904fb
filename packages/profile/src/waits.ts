import type { CutStacks } from './cut-stacks.ts'
import type { FramePlace } from './model.ts'

/**
 * What a run waited for. Times are microseconds on the clock of `process.hrtime()`.
 */

/**
 * What kind of thing was waited for. `pool`: a free connection; `threadpool`: work that Node does in libuv's threads (zlib, crypto);
 * `network`: an answer over a connection, by a driver that isn't known; `socket`: what the application itself writes to one; `timer`: `setTimeout` and the like; `lock`: a mutex or semaphore of the application's; `process`: a child process.
 */
export type WaitKind = 'sql' | 'cache' | 'document' | 'http' | 'file' | 'dns' | 'connect' | 'network' | 'socket' | 'process' | 'threadpool' | 'timer' | 'lock' | 'pool' | 'worker'

/** One thing that can be waited for, however often: a statement on a database, a route of a host, a file. */
export interface WaitOperation {
  readonly kind: WaitKind
  /** Host, database or file; `''` where there is none. */
  readonly target: string
  /** What was asked for, without values and credentials: `select * from users where id = $1`, `GET /users`, `readFile`. */
  readonly statement: string
  /** True where it blocks the thread: its time is CPU time of its caller, and the wait is there to be counted. */
  readonly sync: boolean
  /** True where values were handed over apart from the statement: its parameters. Left out where there were none, or nothing is known of them. */
  readonly parameters?: boolean
  /** Of a pool: how many connections it has at most. Left out where that isn't known. */
  readonly connections?: number
  /** True where it may go on beside what the run waits for, as an interval does: it has a share only of moments in which nothing else is waited for. */
  readonly aside?: boolean
  /** What its longest wait was asked with: parameters, keys, a URL's query. Left out unless whoever recorded it wanted to know. */
  readonly values?: string
  /** Index into `Profile.frames` of the frame that stands for the operation in the call tree; -1 where it has none (`sync`). */
  readonly frame: number
}

/** A place in the code that is called from another: one line of a stack. */
export interface CallSite {
  /** Index into `Profile.frames` of the function that the place is in. */
  readonly frame: number
  /** Where in it the call is, from 1. */
  readonly line: number
  readonly column: number
  /** Index into `Waits.sites` of the place that called the function, -1 for none. It is always smaller than the own one. */
  readonly parent: number
  /** Where the call was written, by the script's source map (`@geordi/profile/sources`). */
  readonly original?: FramePlace
}

/** What kind of lock a database made a statement wait for. */
export type LockKind = 'row' | 'table' | 'advisory' | 'other'

/** A statement that waited for a lock, as the database itself told while it did. */
export interface WaitLock {
  /** Index into the columns of `Waits`. */
  readonly wait: number
  readonly kind: LockKind
  /** Microseconds that it was seen waiting for the lock, at least. */
  readonly time: number
  /** Microseconds that it can have waited at most: for the rest it was seen to do something else. Left out where that isn't known. */
  readonly most?: number
  /** Who held it, as the database knows them: `nightly-job, process 4711: update accounts set …`; `''` where it doesn't tell. */
  readonly holder: string
}

/** A stretch of time in which the thread did nothing but run, and the event loop answered nobody. */
export interface LoopBlock {
  readonly start: number
  readonly end: number
}

/** How a wait ended; `open`: not before the run did. */
export type WaitOutcome = 'done' | 'failed' | 'open'

/**
 * The waits of a run in the order of their starts, as parallel columns: there can be 100,000.
 * A frame `(wait) …` of the call tree stands for an operation, under the function that started it; its samples are the time in
 * which the run did nothing but wait for it. Of several that were open at once each has its share, so that the sum is the wall time.
 */
export interface Waits {
  readonly operations: readonly WaitOperation[]
  /** Stacks of the calls that started waits, across `await` and callbacks, each place once for each way to it. */
  readonly sites: readonly CallSite[]
  /** Index into `operations`. */
  readonly operation: Int32Array
  /** Index into `sites` of the call that started it; -1 where it isn't known. */
  readonly site: Int32Array
  readonly start: Float64Array
  readonly end: Float64Array
  /** Index into {@link WAIT_OUTCOMES}. */
  readonly outcome: Uint8Array
  /** NaN where not known. */
  readonly rows: Float64Array
  /** NaN where not known. */
  readonly bytes: Float64Array
  /** Equal for waits of one operation that asked with the same values; 0 where the values aren't known. */
  readonly same: Int32Array
  /** Where rows stand for several waits, one after the other, since there were too many: each row's; left out where each is one. */
  readonly counts?: WaitCounts
  /** Which of them were held up by a lock; left out where nobody could tell. */
  readonly locks?: readonly WaitLock[]
  /** Targets of database servers that don't tell their user which statements wait for row locks; left out where none was asked in vain. */
  readonly silent?: readonly string[]
  /** When the event loop stood still for 50 ms or more; left out where that wasn't observed. */
  readonly blocks?: readonly LoopBlock[]
  /**
   * The route that the request came to: its pattern (`/users/:id`), the index in `Profile.frames` of its handler and the one in `sites` of where it is
   * registered; -1 where these aren't known.
   */
  readonly route?: { readonly url: string, readonly handler: number, readonly site: number }
  readonly recording: WaitsRecording
}

/** How many waits each row stands for, and how many microseconds they took, in all and the longest one. Its rows and bytes are those of all. */
export interface WaitCounts {
  readonly count: Int32Array
  readonly time: Float64Array
  readonly longest: Float64Array
}

/** What `Waits.outcome` counts. */
export const WAIT_OUTCOMES: readonly WaitOutcome[] = ['done', 'failed', 'open']

/** How far the recording can be trusted, and what it cost. */
export interface WaitsRecording {
  /** Microseconds of the run's time that recording took, as the recorder measured itself. */
  readonly cost: number
  /**
   * How many samples of V8's the CPU times stand on, and how many of them weren't idle: `Profile.samples` of a profile with waits are
   * stretches of time, not observations.
   */
  readonly samples: { readonly all: number, readonly busy: number }
  /** Those of them whose outermost callers V8 didn't record: joined to their callers across `await`, stacks don't tell any more. */
  readonly cut: CutStacks
  /** Since when callers across `await` are as V8 tells them, because following them passed its budget; left out if it never did. */
  readonly simplerSince?: number
  /**
   * Operations whose call was not looked at, because stacks had taken too much, or it came too often: they are told where the last one like them was;
   * left out if there were none.
   */
  readonly assumed?: number
  /** Since when waits were only counted, because there were too many to keep; left out if they never were. */
  readonly countsSince?: number
}
