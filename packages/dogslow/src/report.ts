/** What sinks are given. */
export type DogslowEvent = Report | RequestEnd | ProfileQueued | Digest

/**
 * - `waiting`: the main thread is free, the request waits for something
 * - `blocked`: the main thread does not come back from one piece of code
 * - `memory`: the main thread's heap is nearly full; V8 ends a process that fills it, without asking anybody
 * - `stopped`: the process is being ended with requests open
 */
export type ReportKind = 'waiting' | 'blocked' | 'memory' | 'stopped'

/** A slow request, while it still runs. Times are ISO 8601 in UTC, durations milliseconds by the monotonic clock, sizes bytes. */
export interface Report {
  readonly type: 'report'
  readonly kind: ReportKind
  /** Names this report in the lines that follow it. */
  readonly id: string
  readonly time: string
  /** Groups reports: a hash of the route and the top frame of your own code. */
  readonly fingerprint: string
  /** One line that says it all. */
  readonly summary: string
  /** Of `stopped`: `SIGTERM`, `SIGINT`, `SIGABRT`, or `exit` with its code. */
  readonly cause?: string
  /** The slow request, or the one that blocks; of `stopped` and `memory`, all that are open, the one whose code runs before the others. Empty where what blocks belongs to no request. */
  readonly requests: readonly RequestState[]
  /** Requests that only wait until the main thread is free again. */
  readonly behind: readonly RequestState[]
  /** Requests that there was no room for. */
  readonly more: number
  /**
   * What is pending and began since the request did, of which it isn't known who waits for it: there was no room in the budget of `waits` to find that
   * out. The five oldest, of those that have been pending for a tenth of its time at least. Left out where there is none, and of `blocked`.
   */
  readonly unassigned?: {
    readonly waits: readonly UnassignedWait[]
    /** How many others there are. */
    readonly more: number
  }
  /** Where the code stands, the innermost first: what blocks, or who waits for the oldest wait. */
  readonly stack: readonly Frame[]
  /** What is to be known of the stack, above all why there is none. */
  readonly note?: string
  /** A blocking call of Node's that the thread is in. */
  readonly call?: BlockingCall
  readonly process: ProcessState
}

/** An open request. */
export interface RequestState {
  /** Fastify's `request.id`. */
  readonly id: string
  readonly method: string
  /** With the values of credentials in its query hidden. */
  readonly url: string
  /** The route's pattern; left out where no route was found. */
  readonly route?: string
  /** When it came. */
  readonly time: string
  /** How long it has been running. */
  readonly duration: number
  /** What it is at: its body arrives, hooks run, the handler runs, the answer is being sent. */
  readonly phase: 'receiving' | 'hooks' | 'handler' | 'sending'
  /** What it waits for, the oldest first. */
  readonly pending: readonly Wait[]
  /** The last waits that ended, the latest last. */
  readonly finished: readonly Wait[]
  /** Profiles the same request with geordi; of GET, where geordi is registered. */
  readonly link?: string
}

/** A wait of a request. */
export interface Wait {
  /** `sql`, `http`, `cache`, `lock`, `pool`, `timer` … */
  readonly kind: string
  /** What was asked for, without values. */
  readonly statement: string
  readonly target: string
  /** The package that does it. */
  readonly driver: string
  /** How long it took, or has been taking. */
  readonly duration: number
  /** How long ago it ended; only of those that have. */
  readonly ago?: number
  readonly failed?: boolean
  readonly stack: readonly Frame[]
}

/** A wait of which it isn't known whose it is. */
export interface UnassignedWait extends Omit<Wait, 'stack' | 'ago' | 'failed'> {
  /** Where one like it was last seen to be started; left out where none was. */
  readonly lastSeen?: Frame
}

/** A call of a function, places from 1, by source maps where there are any. */
export interface Frame {
  readonly function: string
  /** A path, below the working directory relative to it; `node:…` of Node's own. Left out of V8's own functions. */
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** Whose code it is. */
  readonly of: 'app' | 'package' | 'node'
  /** It waits, by `await`, for what is above it. */
  readonly async?: true
  /** The line's text; only of your own code. */
  readonly source?: string
}

/** A call of Node's that blocks. */
export interface BlockingCall {
  /** `readFileSync`, `execSync` … */
  readonly name: string
  readonly target: string
  readonly duration: number
}

/** The process at the time of a report. */
export interface ProcessState {
  readonly host: string
  readonly pid: number
  readonly node: string
  /** How many requests are open. */
  readonly open: number
  /** Since the request began, or as far back as is known. Left out where the main thread could not be asked. */
  readonly eventLoop?: {
    /** How late timers were, milliseconds. */
    readonly delay: { readonly mean: number, readonly max: number }
    /** Share of the time that the main thread was busy, 0 to 1. */
    readonly utilisation: number
  }
  /** `heapLimit`: where V8 gives up. */
  readonly memory: { readonly rss: number, readonly heapUsed?: number, readonly heapTotal?: number, readonly heapLimit?: number, readonly external?: number }
}

/** A reported request has ended. */
export interface RequestEnd {
  readonly type: 'end'
  /** The report's id. */
  readonly report: string
  readonly time: string
  readonly summary: string
  readonly method: string
  readonly url: string
  /** Left out where nothing was answered. */
  readonly status?: number
  /** Whether the whole answer went out; `cut off`: the connection was closed before. */
  readonly outcome: 'answered' | 'cut off'
  readonly duration: number
}

/** A reported request was queued for profiling. */
export interface ProfileQueued {
  readonly type: 'profile'
  /** The report's id. */
  readonly report: string
  readonly time: string
  readonly summary: string
  /** The replay's id. */
  readonly id: string
  /** Where its report will be. */
  readonly url: string
}

/** What was not reported one by one. */
export interface Digest {
  readonly type: 'digest'
  readonly time: string
  readonly summary: string
  /** Milliseconds that it is about. */
  readonly period: number
  readonly entries: ReadonlyArray<{
    /** Left out of requests that were only counted. */
    readonly fingerprint?: string
    /** Method and route, and the place where the code stood. */
    readonly what: string
    readonly count: number
    /** The longest of them, milliseconds, when it was noticed. */
    readonly longest: number
  }>
}
