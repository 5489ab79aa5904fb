import type { Canvas } from '../canvas/canvas.ts'
import { textOn } from '../colour.ts'
import type { Content } from '../content.ts'
import { formatShare, formatTime } from '../numbers.ts'
import { type BarPart, theme } from '../theme.ts'
import { heading } from './parts.ts'

const LABELS: Readonly<Record<BarPart, string>> = {
  app: 'Your code',
  dependency: 'Dependencies',
  node: 'Node.js itself',
  native: 'Native code',
  program: 'V8 itself',
  gc: 'Garbage collection',
  idle: 'Waiting (idle)',
  unsampled: 'Not sampled'
}

const BAR_HEIGHT = 20
const ROW_HEIGHT = 13
const COLUMNS = 3

/** The bar of the wall time with its legend; the parts sum to it. Returns the y below. */
export function drawWallTime (canvas: Canvas, { wall }: Content, x: number, top: number, width: number): number {
  const y = heading(canvas, 'Where the time went', `wall time ${formatTime(wall.time)} = 100%`, x, top, width)
  let left = x
  for (const { part, time } of wall.parts) {
    const share = time / wall.time
    drawPart(canvas, part, share, left, y, width * share)
    left += width * share
  }
  canvas.box(x, y, width, BAR_HEIGHT, { stroke: theme.muted, line: 0.6 })
  const column = width / COLUMNS
  const rows = Math.ceil(wall.parts.length / COLUMNS)
  wall.parts.forEach(({ part, time }, at) => {
    const entryX = x + Math.floor(at / rows) * column
    const baseline = y + BAR_HEIGHT + 15 + at % rows * ROW_HEIGHT
    canvas.box(entryX, baseline - 7, 8, 8, { fill: theme.bar[part], stroke: theme.muted, line: 0.4 })
    canvas.text(LABELS[part], entryX + 13, baseline, { size: theme.text.body })
    const right = entryX + column - 8
    canvas.text(formatTime(time), right - 35, baseline, { size: theme.text.body, colour: theme.muted, align: 'right' })
    canvas.text(formatShare(time / wall.time), right, baseline, { font: 'bold', size: theme.text.body, align: 'right' })
  })
  return y + BAR_HEIGHT + 12 + rows * ROW_HEIGHT
}

function drawPart (canvas: Canvas, part: BarPart, share: number, x: number, y: number, width: number): void {
  const fill = theme.bar[part]
  canvas.box(x, y, width, BAR_HEIGHT, { fill, stroke: theme.paper, line: 0.4 })
  const text = formatShare(share)
  if (canvas.measure(text, 'bold', theme.text.small) + 6 > width) return
  canvas.text(text, x + width / 2, y + BAR_HEIGHT / 2 + 2.6, { font: 'bold', size: theme.text.small, colour: textOn(fill), align: 'centre' })
}
