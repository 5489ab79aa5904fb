import type { Canvas } from '../canvas/canvas.ts'
import { textOn } from '../colour.ts'
import type { Content, WallPart } from '../content.ts'
import { formatShare, formatTime } from '../numbers.ts'
import { elide } from '../text.ts'
import { type BarPart, theme, type WaitGroup } from '../theme.ts'
import { waitName } from '../wait-groups.ts'
import { heading } from './parts.ts'

const LABELS: Readonly<Partial<Record<BarPart, string>>> = {
  app: 'Your code',
  dependency: 'Dependencies',
  node: 'Node.js itself',
  native: 'Native code',
  program: 'V8 itself',
  gc: 'Garbage collection',
  recording: 'Recording waits',
  idle: 'Waiting (idle)',
  unsampled: 'Not sampled'
}

const BAR_HEIGHT = 20
const ROW_HEIGHT = 13
const COLUMNS = 3

/** The bar of the wall time with its legend; the parts sum to it. Returns the y below. */
export function drawWallTime (canvas: Canvas, content: Content, x: number, top: number, width: number): number {
  const { wall } = content
  const y = heading(canvas, 'Where the time went', aside(content), x, top, width)
  let left = x
  for (const { part, time } of wall.parts) {
    const share = time / wall.time
    drawPart(canvas, part, share, left, y, width * share)
    left += width * share
  }
  canvas.box(x, y, width, BAR_HEIGHT, { stroke: theme.muted, line: 0.6 })
  const column = width / COLUMNS
  const rows = Math.ceil(wall.parts.length / COLUMNS)
  const measure = canvas.measurer('regular', theme.text.body)
  wall.parts.forEach((wallPart, at) => {
    const { part, time } = wallPart
    const entryX = x + Math.floor(at / rows) * column
    const baseline = y + BAR_HEIGHT + 15 + at % rows * ROW_HEIGHT
    canvas.box(entryX, baseline - 7, 8, 8, { fill: theme.bar[part], stroke: theme.muted, line: 0.4 })
    canvas.text(elide(labelOf(content, wallPart), column - 90, measure), entryX + 13, baseline, { size: theme.text.body })
    const right = entryX + column - 8
    canvas.text(formatTime(time), right - 35, baseline, { size: theme.text.body, colour: theme.muted, align: 'right' })
    canvas.text(formatShare(time / wall.time), right, baseline, { font: 'bold', size: theme.text.body, align: 'right' })
  })
  return y + BAR_HEIGHT + 12 + rows * ROW_HEIGHT
}

/** With recorded waits, its three parts: what runs and what waits is not to be told from the colours alone. */
function aside ({ wall: { time, parts }, recording: { waits } }: Content): string {
  if (waits === undefined) return `wall time ${formatTime(time)} = 100%`
  const share = (isOf: (part: WallPart) => boolean) => formatShare(parts.reduce((sum, part) => sum + (isOf(part) ? part.time : 0), 0) / time)
  const isIdle = ({ part }: WallPart) => part === 'idle' || part === 'unsampled'
  const isWait = ({ waits }: WallPart) => waits !== undefined
  return `${share(part => !isWait(part) && !isIdle(part))} running + ${share(isWait)} waiting + ${share(isIdle)} idle = wall time ${formatTime(time)}`
}

function labelOf (content: Content, { part, waits }: WallPart): string {
  return waits === undefined ? labelOfPart(content, part) : `Wait: ${waitName(part as WaitGroup, waits)}`
}

/** What a part of the wall time is called that isn't a wait. */
export function labelOfPart ({ recording }: Content, part: BarPart): string {
  return (part === 'idle' && recording.waits !== undefined ? 'Idle, why unknown' : LABELS[part]) ?? part
}

function drawPart (canvas: Canvas, part: BarPart, share: number, x: number, y: number, width: number): void {
  const fill = theme.bar[part]
  canvas.box(x, y, width, BAR_HEIGHT, { fill, stroke: theme.paper, line: 0.4 })
  const text = formatShare(share)
  if (canvas.measure(text, 'bold', theme.text.small) + 6 > width) return
  canvas.text(text, x + width / 2, y + BAR_HEIGHT / 2 + 2.6, { font: 'bold', size: theme.text.small, colour: textOn(fill), align: 'centre' })
}
