import type { RunningAsyncBox } from '../async-box.ts'

/** What was going on in a box, for the log. Times are in milliseconds. */
export interface WorkReport {
  readonly label: string
  readonly limit: number
  /** Since it was opened. */
  readonly elapsed: number
  /** How much later than its deadline it was noticed: as long as something blocked the process. */
  readonly late: number
  /** What it has to clean up: resources that it holds, and deferred functions. */
  readonly cleanups: number
  /** The boxes in it that were not done. */
  readonly waitingFor: readonly Omit<WorkReport, 'late'>[]
}

/** Tells what a box is doing right now. */
export function describeWork (box: RunningAsyncBox): WorkReport {
  return { ...describe(box), late: round(Math.max(0, performance.now() - box.limiter.deadline)) }
}

function describe (box: RunningAsyncBox): Omit<WorkReport, 'late'> {
  return {
    label: box.label,
    limit: round(box.limit),
    elapsed: round(performance.now() - box.openedAt),
    cleanups: box.cleanups.length,
    waitingFor: Array.from(box.inner, describe)
  }
}

function round (milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
