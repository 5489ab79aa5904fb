import type { RunningAsyncBox } from '../async-box.ts'
import type { Interruption } from '../box.ts'
import { describeCleanup } from '../cleanups.ts'

/** What was going on in a box, for the log. Times are in milliseconds. */
export interface WorkReport {
  readonly label: string
  readonly limit: number
  /** Since it was opened. */
  readonly elapsed: number
  /** How much later than its deadline it was noticed: as long as something blocked the process. */
  readonly late: number
  /** What it has to clean up, by name: resources that it holds or opens, and deferred functions. */
  readonly holds: readonly string[]
  /** The boxes in it that were not done. */
  readonly waitingFor: readonly Omit<WorkReport, 'late' | 'interrupted'>[]
  /** The synchronous code in it that was interrupted by its deadline. */
  readonly interrupted?: Interruption
}

/** Tells what a box is doing right now. */
export function describeWork (box: RunningAsyncBox): WorkReport {
  const { interruption } = box
  return {
    ...describe(box),
    late: round(Math.max(0, performance.now() - box.limiter.deadline)),
    ...(interruption === undefined ? {} : { interrupted: { ...interruption, elapsed: round(interruption.elapsed) } })
  }
}

function describe (box: RunningAsyncBox): Omit<WorkReport, 'late' | 'interrupted'> {
  return {
    label: box.label,
    limit: round(box.limit),
    elapsed: round(performance.now() - box.openedAt),
    holds: box.cleanups.map(describeCleanup),
    waitingFor: Array.from(box.inner, describe)
  }
}

function round (milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
