import type { Waits } from './waits.ts'

/**
 * The data model every other room builds on: one immutable value, a `Profile`, that holds who was called
 * by whom (the call tree), when the profiler looked (the samples) and which run it looked at.
 *
 * Times are microseconds throughout, on the clock of `process.hrtime()`, which V8's profiler shares.
 */

/** A function as V8 names it, or one of V8's own markers in parentheses such as `(idle)`. */
export interface Frame {
  /** The function's name as V8 reports it; `''` for an anonymous function. */
  readonly name: string
  /** `file:` URL or `node:` specifier of the script; `''` for native code and V8's markers. */
  readonly url: string
  /** Line of the function's definition, from 1; 0 where unknown. */
  readonly line: number
  /** Column of the function's definition, from 1; 0 where unknown. */
  readonly column: number
  /** What the files told beyond V8's words (`@geordi/profile/sources`); for display, and never what makes two frames one. */
  readonly source?: FrameSource
}

/** What source maps, sources and package.json files tell of a function. */
export interface FrameSource {
  /** A name that tells more than V8's: `Session.save`, `app.get('/x') handler`. */
  readonly name?: string
  /** Where the function was written, by the script's source map. */
  readonly original?: FramePlace
  /** The npm package, by its package.json; `folder` is told of one that isn't in a node_modules folder. */
  readonly package?: { readonly name: string, readonly version?: string, readonly folder?: string }
}

/** A place in a source file. Line and column count from 1. */
export interface FramePlace {
  readonly url: string
  readonly line: number
  readonly column: number
}

/**
 * The call tree, one entry a node, as parallel columns: a request can have 200,000 nodes, and objects
 * for them cost ten times the memory. Node 0 is `(root)`; a node's parent always precedes it.
 */
export interface CallTree {
  /** Index into `Profile.frames`. */
  readonly frame: Int32Array
  /** Index of the caller's node; -1 for the root. */
  readonly parent: Int32Array
}

/** The samples in order of time, as parallel columns. */
export interface Samples {
  /** The call tree node that was running. */
  readonly node: Int32Array
  /**
   * Microseconds that the sample stands for: the gap that *ends* at it, as V8 records it
   * (`timeDeltas[i]` belongs to `samples[i]`).
   */
  readonly duration: Float64Array
}

/** One recording: the call tree, the samples on it, and the run they were taken from. */
export interface Profile {
  readonly frames: readonly Frame[]
  readonly tree: CallTree
  readonly samples: Samples
  /** When the first sample's gap begins, in microseconds of the `process.hrtime()` clock. */
  readonly startTime: number
  readonly run: Run
  /** What the run waited for; left out where that was not recorded. */
  readonly waits?: Waits
}

/** What was run, where and how: everything a report says beside the numbers. All of it optional, because
 * a profile from `node --cpu-prof` knows nothing of requests. */
export interface Run {
  /** What to call the run where there is no request, such as the profile's file name. */
  readonly title?: string
  readonly request?: RunRequest
  readonly response?: RunResponse
  readonly process?: RunProcess
  readonly profiler?: RunProfiler
  /** Wall time from the request's arrival to the end of the answer, or to where the recording ends, in microseconds. */
  readonly wallTime?: number
  /**
   * Why the recording ends before the answer does, in words: `the process exited with code 7`. Where it is there, the
   * profile holds what was recorded until then. Undefined for a whole run.
   */
  readonly ended?: string
}

/** The request that was replayed. */
export interface RunRequest {
  readonly method: string
  /** Path and query as captured, without geordi's own parameter. */
  readonly url: string
  /** When the request was captured: milliseconds since 1970. */
  readonly capturedAt?: number
  /** Who asked for the profile, in the words of the host application. */
  readonly by?: string
  /** What the longest text in its body is called, `items[].name`; left out where it is the body itself. */
  readonly bodyText?: string
  /** How many characters that has; left out where there is none, or the body was not looked into. */
  readonly bodyTextLength?: number
}

/** How the application answered. */
export interface RunResponse {
  readonly statusCode: number
  /** Bytes of the answer's body as sent. */
  readonly bytes?: number
  readonly contentType?: string
}

/** The process that ran the request. */
export interface RunProcess {
  readonly hostname: string
  readonly pid: number
  /** `process.version`, such as `v22.12.0`. */
  readonly node: string
  /** Name and version from the application's package.json. */
  readonly app?: string
  /** Absolute folder of the application: frames outside of it and of node_modules are not «your code». */
  readonly root?: string
  /** Absolute folder of the monorepo that the application is a part of: its other packages are «your code» too. */
  readonly workspace?: string
}

/** How the recording was made. */
export interface RunProfiler {
  readonly engine: 'v8-profiler-next' | 'node:inspector'
  /** Sampling interval asked for, in microseconds. */
  readonly interval: number
  /** The interval in the end, where it was widened because the run was long. */
  readonly widest?: number
}
