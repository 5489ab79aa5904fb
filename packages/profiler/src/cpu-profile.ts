import type { Run } from '@geordi/profile'

/**
 * A CPU profile as the DevTools protocol defines it, which is what `.cpuprofile` files hold: lines and
 * columns from 0, scripts by URL, times in microseconds.
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */
export interface CpuProfile {
  readonly nodes: CpuProfileNode[]
  readonly startTime: number
  readonly endTime: number
  readonly samples: number[]
  readonly timeDeltas: number[]
}

export interface CpuProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly scriptId: string
    readonly url: string
    readonly lineNumber: number
    readonly columnNumber: number
  }
  readonly hitCount?: number
  readonly children?: number[]
}

/**
 * Adds what was run to a profile, under a key that DevTools ignores and `importCpuProfile` of
 * @geordi/profile reads.
 * @param window When the run began and ended, in microseconds of the `process.hrtime()` clock; samples outside of it don't count.
 */
export function withRun (profile: CpuProfile, run: Run, window?: { start: number, end: number }): CpuProfile & { geordi: object } {
  return { ...profile, geordi: { version: 1, run, ...(window === undefined ? {} : { window }) } }
}
