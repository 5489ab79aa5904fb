/**
 * The `.cpuprofile` format as it is met in the wild: V8's `Profiler.Profile` of the Chrome DevTools Protocol
 * (node --cpu-prof, node:inspector, Chrome), and what older V8s and v8-profiler-next write instead.
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */

/**
 * `Profiler.Profile`, with Geordi's own key beside it: times in microseconds, `samples` are ids of nodes, `timeDeltas[i]` is the gap that
 * ends at `samples[i]`. DevTools and others ignore a key they don't know.
 */
export interface CpuProfile {
  nodes: CpuProfileNode[]
  startTime: number
  endTime: number
  samples: number[]
  timeDeltas: number[]
  geordi?: CpuProfileMetadata
}

/** `Profiler.ProfileNode`. */
export interface CpuProfileNode {
  id: number
  callFrame: CpuProfileCallFrame
  hitCount: number
  children: number[]
}

/** `Runtime.CallFrame`: lines and columns count from 0, and -1 says unknown. */
export interface CpuProfileCallFrame {
  functionName: string
  scriptId: string
  url: string
  lineNumber: number
  columnNumber: number
}

/** What Geordi adds to a `.cpuprofile` under the key `geordi`. */
export interface CpuProfileMetadata {
  readonly version: 1
  /** Becomes `Profile.run`; a field of a wrong type is left out. */
  readonly run: object
  /** Only this part of the recording belongs to the run: microseconds on the clock of `startTime`. */
  readonly window?: { readonly start: number, readonly end: number }
}

/** A JSON object of which nothing is known yet. */
export type Json = Readonly<Record<string, unknown>>

export function isObject (value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value if it is a finite number, else `undefined`: JSON has no NaN, but an object handed over may. */
export function finite (value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
