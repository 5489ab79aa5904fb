import type { Waits } from '@geordi/profile'
import type { Canvas } from '../canvas/canvas.ts'
import { coverage } from '../waits/coverage.ts'

/** Where a time is on the page. */
export interface Scale {
  /** Microseconds: the left edge, and how much the width stands for. */
  readonly from: number
  readonly time: number
  /** Points. */
  readonly x: number
  readonly width: number
}

/** Up to so many waits are drawn one by one, unless more than these are open at once. */
const MOST_SINGLE = 60
const MOST_LANES = 4
/** What takes no time is seen as well. */
const LEAST_WIDTH = 0.8
/** Width of a column, and the steps of its height. */
const COLUMN = 1
const STEP = 0.5

/** The waits of one row: each as a bar of its own where there are few, else columns as high as so many were open. */
export function drawBars (canvas: Canvas, waits: Waits, members: readonly number[], fill: string, scale: Scale, top: number, height: number): void {
  const lanes = members.length <= MOST_SINGLE ? lanesOf(waits, members) : undefined
  if (lanes === undefined) return drawColumns(canvas, waits, members, fill, scale, top, height)
  const count = Math.max(...lanes) + 1
  const lane = height / count
  members.forEach((wait, at) => {
    const left = placeOf(scale, waits.start[wait] as number)
    const right = placeOf(scale, waits.end[wait] as number)
    const wide = Math.max(LEAST_WIDTH, right - left)
    canvas.box(Math.min(left, scale.x + scale.width - wide), top + (lanes[at] as number) * lane, wide, lane - (count > 1 ? 0.4 : 0), { fill })
  })
}

/** For each wait a lane in which no other one is open meanwhile; undefined where that takes too many. */
function lanesOf ({ start, end }: Waits, members: readonly number[]): number[] | undefined {
  const free: number[] = []
  const lanes = members.map(wait => {
    let lane = free.findIndex(until => until <= (start[wait] as number))
    if (lane < 0) lane = free.push(0) - 1
    free[lane] = end[wait] as number
    return lane
  })
  return free.length > MOST_LANES ? undefined : lanes
}

function drawColumns (canvas: Canvas, waits: Waits, members: readonly number[], fill: string, scale: Scale, top: number, height: number): void {
  const parts = Math.max(1, Math.floor(scale.width / COLUMN))
  const open = coverage(waits, members, scale.from, scale.from + scale.time, parts)
  const most = Math.max(1, open.reduce((most, count) => Math.max(most, count), 0))
  const heights = Array.from(open, count => count <= 0 ? 0 : Math.max(STEP, Math.round(count / most * height / STEP) * STEP))
  const wide = scale.width / parts
  for (let at = 0; at < parts;) {
    const high = heights[at] as number
    let next = at + 1
    while (next < parts && heights[next] === high) next++
    if (high > 0) canvas.box(scale.x + at * wide, top + height - high, (next - at) * wide, high, { fill })
    at = next
  }
}

function placeOf ({ from, time, x, width }: Scale, at: number): number {
  return x + Math.min(1, Math.max(0, (at - from) / time)) * width
}
