import type { Waits } from '@geordi/profile'

/**
 * How many of some waits were open, on the average of each of so many equal parts of a time. O(waits · log waits + parts), however long they are.
 *
 * @param from Microseconds, as the waits'.
 */
export function coverage ({ start, end }: Waits, members: readonly number[], from: number, to: number, parts: number): Float64Array {
  const starts = Float64Array.from(members, wait => start[wait] as number).sort()
  const ends = Float64Array.from(members, wait => end[wait] as number).sort()
  const width = (to - from) / parts
  const result = new Float64Array(parts)
  let [started, startSum, ended, endSum, before] = [0, 0, 0, 0, 0]
  for (let part = 0; part <= parts; part++) {
    const edge = from + part * width
    while (started < starts.length && (starts[started] as number) < edge) startSum += (starts[started++] as number) - from
    while (ended < ends.length && (ends[ended] as number) < edge) endSum += (ends[ended++] as number) - from
    // The time that all of them were open until the edge.
    const open = started * (edge - from) - startSum - (ended * (edge - from) - endSum)
    if (part > 0) result[part - 1] = width > 0 ? Math.max(0, open - before) / width : 0
    before = open
  }
  return result
}
