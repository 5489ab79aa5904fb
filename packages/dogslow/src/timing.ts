/** Ticks whose lateness is remembered. */
export const HISTORY = 128

const SHORTEST_TICK = 10
const LONGEST_TICK = 250

/** Milliseconds between two looks at the open requests: a twentieth of the lowest threshold. */
export function tickOf (lowestThreshold: number): number {
  return Math.round(Math.min(LONGEST_TICK, Math.max(SHORTEST_TICK, lowestThreshold / 20)))
}

/** By how many ticks the main thread may be late before the watcher takes it for blocked. */
export const LATE_TICKS = 2
