import type { WatcherData } from '../messages.ts'

/** The main thread's `performance.now()`, told from here: each thread's begins with the thread. */
export interface Clock {
  readonly now: () => number
  readonly timeOrigin: number
}

export function mainClock ({ clock, timeOrigin }: WatcherData): Clock {
  return { now: () => Number(process.hrtime.bigint()) / 1e6 - clock, timeOrigin }
}
