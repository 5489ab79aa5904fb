import type { Run } from '@geordi/profile'
import type { WaitRecording } from '@geordi/waits/recording'
import type { Originals } from './originals.ts'

/**
 * A CPU profile as the DevTools protocol defines it, which is what `.cpuprofile` files hold: lines and
 * columns from 0, scripts by URL, times in microseconds.
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */
export interface CpuProfile {
  /** The call tree; the first one is `(root)`. */
  readonly nodes: CpuProfileNode[]
  /** When the recording began, on the clock of `process.hrtime()`. */
  readonly startTime: number
  /** When it ended. */
  readonly endTime: number
  /** The id of the node that was running, for each sample. */
  readonly samples: number[]
  /** The time before each sample: from the one before it, the first from `startTime`. */
  readonly timeDeltas: number[]
}

/** A function as called from its callers: one node of a {@link CpuProfile}'s call tree. */
export interface CpuProfileNode {
  /** From 1; what `samples` and `children` refer to. */
  readonly id: number
  readonly callFrame: {
    /** As V8 names it; `''` for an anonymous function, in parentheses for V8's own markers such as `(idle)`. */
    readonly functionName: string
    readonly scriptId: string
    /** `file:` URL or `node:` specifier; `''` for native code and V8's markers. */
    readonly url: string
    /** Where the function begins, from 0; -1 where unknown. */
    readonly lineNumber: number
    /** From 0; -1 where unknown. */
    readonly columnNumber: number
  }
  /** How many samples found it running itself. */
  readonly hitCount?: number
  /** Ids of those that it called. */
  readonly children?: number[]
}

/** What belongs to a run beside its CPU profile. */
export interface RunRecords {
  /** When the run began and ended, in microseconds of the `process.hrtime()` clock; samples outside of it don't count. */
  readonly window?: { readonly start: number, readonly end: number }
  /** What `recordWaits` of @geordi/waits recorded beside it. */
  readonly waits?: WaitRecording
  /** Where scripts were written that were built while they were loaded. */
  readonly originals?: Originals
}

/** What a file holds under the key `geordi`, which DevTools ignores. */
export interface FileRecords extends RunRecords {
  readonly version: 1
  readonly run: Run
}

/** A profile with what was run in it. */
export type RecordedProfile = CpuProfile & { readonly geordi: FileRecords }

/**
 * Adds what was run to a profile, under a key that DevTools ignores. `importRecording` reads all of it, `importCpuProfile` of
 * @geordi/profile all but the waits.
 */
export function withRun (profile: CpuProfile, run: Run, records: RunRecords = {}): RecordedProfile {
  return { ...profile, geordi: { version: 1, run, ...records } }
}
