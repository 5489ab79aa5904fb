import type { Waits } from '@geordi/profile'

/** How many waits a row stands for. */
export function countOf ({ counts }: Waits, wait: number): number {
  return counts?.count[wait] ?? 1
}

/** How many waits some rows stand for. */
export function countSome (waits: Waits, rows: readonly number[]): number {
  return waits.counts === undefined ? rows.length : rows.reduce((sum, wait) => sum + countOf(waits, wait), 0)
}

/** How many waits all rows stand for. */
export function countAll ({ counts, operation }: Waits): number {
  return counts?.count.reduce((sum, count) => sum + count, 0) ?? operation.length
}

/** How long the waits of a row took in all, in microseconds. */
export function timeOf ({ counts, start, end }: Waits, wait: number): number {
  return counts?.time[wait] ?? (end[wait] as number) - (start[wait] as number)
}

/** The longest wait of a row, in microseconds. */
export function longestOf (waits: Waits, wait: number): number {
  return waits.counts?.longest[wait] ?? timeOf(waits, wait)
}

/** What a wait of a row took, on the average. */
export function meanTimeOf (waits: Waits, wait: number): number {
  return timeOf(waits, wait) / countOf(waits, wait)
}

/**
 * For shares from 0 to 1 the smallest value that at least so many of the waits don't exceed. Values that aren't known are left out; NaN of none.
 *
 * @param value For each of a row's waits.
 */
export function quantilesOf (waits: Waits, rows: readonly number[], shares: readonly number[], value: (wait: number) => number): number[] {
  const known = rows.map(wait => ({ value: value(wait), count: countOf(waits, wait) })).filter(({ value }) => !Number.isNaN(value)).sort((a, b) => a.value - b.value)
  const all = known.reduce((sum, { count }) => sum + count, 0)
  return shares.map(share => {
    let until = 0
    return known.find(({ count }) => (until += count) >= share * all)?.value ?? NaN
  })
}

export function medianOf (waits: Waits, rows: readonly number[], value: (wait: number) => number): number {
  return quantilesOf(waits, rows, [0.5], value)[0] as number
}

/** For how long at least one of some rows was open. They are in the order of their starts. */
export function openTime ({ start, end }: Waits, rows: readonly number[]): number {
  let [sum, until] = [0, -Infinity]
  for (const wait of rows) {
    sum += Math.max(0, (end[wait] as number) - Math.max(until, start[wait] as number))
    until = Math.max(until, end[wait] as number)
  }
  return sum
}
