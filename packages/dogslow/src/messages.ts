import type { DogslowSettings } from './options.ts'
import type { RawReport } from './describe.ts'
import type { DogslowEvent, ProfileQueued, RequestEnd } from './report.ts'

/** What the watcher is started with. */
export interface WatcherData {
  readonly shared: SharedArrayBuffer
  /** Under which the main thread answers: see `snapshot.ts`. */
  readonly instance: string
  /** What the main thread's `performance.now()` lacks to be `process.hrtime()`, in milliseconds. */
  readonly clock: number
  readonly timeOrigin: number
  readonly tick: number
  /** Milliseconds after which a request that nothing is known of yet is slow. */
  readonly threshold: number
  /** The lowest threshold of any route. */
  readonly lowest: number
  /** Bytes that the main thread's heap may have. */
  readonly heapLimit: number
  readonly cwd: string
  readonly settings: Pick<DogslowSettings, 'file' | 'mail' | 'webhook' | 'perMinute' | 'repeatAfter'>
  /** Where to write what the main thread can't log itself; `undefined` for no log. */
  readonly log: DirectLog | undefined
  /** Files of this package and of @geordi/waits: their frames are nobody's. */
  readonly own: readonly string[]
}

/** Where the watcher writes to the log by itself. */
export interface DirectLog {
  readonly fd: number
  /** What each of pino's lines has; `undefined` where there is no pino: then it writes a text for people. */
  readonly json: Readonly<Record<string, unknown>> | undefined
  /** Whether the main thread is to log it as well, because its log is another than this. */
  readonly again: boolean
}

export type ToWatcher =
  | { readonly type: 'chunk', readonly buffer: SharedArrayBuffer }
  | { readonly type: 'report', readonly report: RawReport }
  /** Evidence of an exit: the main thread waits for it. */
  | { readonly type: 'evidence', readonly report: RawReport }
  /** Slow requests there was no time to look at. */
  | { readonly type: 'more', readonly counts: ReadonlyArray<{ readonly what: string, readonly count: number, readonly longest: number }> }
  | { readonly type: 'event', readonly event: RequestEnd | ProfileQueued }
  | { readonly type: 'close' }

export type ToMain =
  | { readonly type: 'ready' }
  /** For the sinks of the main thread; `logged`: the watcher has written it to the log already. */
  | { readonly type: 'event', readonly event: DogslowEvent, readonly logged: boolean }
  /** The main thread hangs in a native call; these requests have been reported without its help; `owner`: the place of the one that made it; `fresh`: so have those that were not listed and had begun by then. */
  | { readonly type: 'taken', readonly report: string, readonly owner: number | undefined, readonly places: ReadonlyArray<{ readonly place: number, readonly start: number }>, readonly fresh?: number }
  /** A sink failed. */
  | { readonly type: 'problem', readonly sink: string, readonly message: string }
