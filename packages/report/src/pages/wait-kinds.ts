import { waitKindName } from '@geordi/callgraph'
import type { WaitKind } from '@geordi/profile'
import type { Canvas } from '../canvas/canvas.ts'
import type { Content } from '../content.ts'
import { formatCount, formatShare, formatTime } from '../numbers.ts'
import { theme } from '../theme.ts'
import { waitColour } from '../wait-groups.ts'

const ROW = 12
const HEAD = 10
const COLUMNS = 2
/** Right edges of the numbers, from the column's. */
const RIGHT = { count: 118, total: 76, wall: 36, share: 0 }

/** What a kind of wait has in all. Times are microseconds. */
interface KindSum {
  readonly kind: WaitKind
  readonly sync: boolean
  count: number
  total: number
  wall: number
}

/** The sums of each kind, the costliest first; what blocked the thread apart. Those of the wall time are the graph's and the bar's. */
export function kindSums ({ look: { recorded } }: Pick<Content, 'look'>): readonly KindSum[] {
  const sums = new Map<string, KindSum>()
  for (const { kind, sync, count, total, wall } of recorded?.tallies ?? []) {
    const key = `${kind} ${sync}`
    let sum = sums.get(key)
    if (sum === undefined) sums.set(key, sum = { kind, sync, count: 0, total: 0, wall: 0 })
    sum.count += count
    sum.total += total
    sum.wall += wall
  }
  return Array.from(sums.values()).sort((a, b) => b.wall - a.wall || b.total - a.total)
}

export function kindsHeight (content: Content): number {
  return HEAD + Math.ceil(kindSums(content).length / COLUMNS) * ROW
}

export function drawKinds (canvas: Canvas, content: Content, x: number, top: number, width: number): void {
  const sums = kindSums(content)
  const column = width / COLUMNS
  const rows = Math.ceil(sums.length / COLUMNS)
  const size = theme.text.body
  for (let left = x; left < x + Math.min(sums.length, COLUMNS) * column - 1; left += column) {
    const head = (text: string, from: number) => canvas.text(text, left + column - 14 - from, top + 6, { size: theme.text.small, colour: theme.muted, align: 'right' })
    head('Count', RIGHT.count)
    head('Total', RIGHT.total)
    head('Wall', RIGHT.wall)
  }
  sums.forEach(({ kind, sync, count, total, wall }, at) => {
    const left = x + Math.floor(at / rows) * column
    const right = left + column - 14
    const baseline = top + HEAD + 8 + at % rows * ROW
    canvas.box(left, baseline - 7, 8, 8, { fill: waitColour(kind), stroke: theme.muted, line: 0.4 })
    canvas.text(`${waitKindName(kind)}${sync ? ', blocking' : ''}`, left + 13, baseline, { size })
    canvas.text(formatCount(count), right - RIGHT.count, baseline, { size, colour: theme.muted, align: 'right' })
    canvas.text(formatTime(total), right - RIGHT.total, baseline, { size, colour: theme.muted, align: 'right' })
    canvas.text(sync ? 'in CPU' : formatTime(wall), right - RIGHT.wall, baseline, { size, align: 'right' })
    if (!sync) canvas.text(formatShare(wall / content.wall.time), right, baseline, { font: 'bold', size, align: 'right' })
  })
}
