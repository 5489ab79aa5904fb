import type { CallGraph } from '@geordi/callgraph'
import type { Canvas } from '../canvas.ts'
import type { Content } from '../content.ts'
import { heat } from '../colour.ts'
import { labelFunction } from '../names.ts'
import { formatShare, formatTime } from '../numbers.ts'
import { clean, elide } from '../text.ts'
import { theme } from '../theme.ts'
import { heading } from './parts.ts'

const ROW_HEIGHT = 13
const HEAD_HEIGHT = 38
const MOST_ROWS = 20

/** Widths of the columns of numbers, from the right edge. */
const COLUMNS = { totalShare: 0, total: 38, selfShare: 88, self: 126 }
const BAR_RIGHT = 170
const BAR_WIDTH = 50
const NUMBERS_WIDTH = BAR_RIGHT + BAR_WIDTH + 6

/** The tables of the functions with the most self time and the most total time, as long as the room is. */
export function drawTopFunctions (canvas: Canvas, content: Content, x: number, top: number, width: number, bottom: number): void {
  const { self, total } = content.graph.functions
  const rows = Math.min(MOST_ROWS, Math.floor((bottom - top - 2 * HEAD_HEIGHT) / 2 / ROW_HEIGHT))
  const byTotal = largest(content.graph, total, rows)
  if (rows < 1 || byTotal.length === 0) return
  const y = drawTable(canvas, content, 'Top functions by self time', largest(content.graph, self, rows), 'self', x, top, width)
  drawTable(canvas, content, 'Top functions by total time', byTotal, 'total', x, y + 4, width)
}

/** The frames that the tables have at most. */
export function topFrames (graph: CallGraph): number[] {
  return [...largest(graph, graph.functions.self, MOST_ROWS), ...largest(graph, graph.functions.total, MOST_ROWS)]
}

/** The frames with the largest times that are functions. */
function largest ({ functions }: CallGraph, column: Float64Array, count: number): number[] {
  const isFunction = (frame: number) => !['root', 'idle', 'program', 'gc'].includes(functions.kind[frame] as string)
  return Array.from(column.keys())
    .filter(frame => (column[frame] as number) > 0 && isFunction(frame))
    .sort((a, b) => (column[b] as number) - (column[a] as number) || a - b)
    .slice(0, count)
}

function drawTable (canvas: Canvas, content: Content, title: string, frames: readonly number[], key: 'self' | 'total',
  x: number, top: number, width: number): number {
  let y = heading(canvas, title, `share of the busy time, ${formatTime(content.graph.times.busy)}`, x, top, width)
  const right = x + width
  const small = { size: theme.text.small, colour: theme.muted }
  canvas.text('Function', x, y + 6, small)
  canvas.text('Self', right - COLUMNS.selfShare, y + 6, { ...small, align: 'right' })
  canvas.text('Total', right - COLUMNS.totalShare, y + 6, { ...small, align: 'right' })
  y += 10
  for (const frame of frames) {
    drawRow(canvas, content, frame, key, x, y, width)
    y += ROW_HEIGHT
  }
  return y
}

function drawRow (canvas: Canvas, { profile, graph: { functions, times } }: Content, frame: number, key: 'self' | 'total',
  x: number, top: number, width: number): void {
  const label = labelFunction(profile.frames[frame] as typeof profile.frames[number], profile.run)
  const right = x + width
  const baseline = top + 9.5
  const share = (functions[key][frame] as number) / times.busy
  canvas.box(right - BAR_RIGHT - BAR_WIDTH, top + 4, BAR_WIDTH, 5.5, { fill: theme.shade })
  canvas.box(right - BAR_RIGHT - BAR_WIDTH, top + 4, BAR_WIDTH * Math.min(1, share), 5.5, { fill: heat(0.3) })
  const size = theme.text.body
  const room = width - NUMBERS_WIDTH
  const name = elide(label.name, room * 0.56 - 8, canvas.measurer('bold', size))
  canvas.text(name, x, baseline, { font: 'bold', size })
  const font = label.own ? 'bold' : 'regular'
  const measure = canvas.measurer(font, theme.text.small)
  const widest = room * 0.44 - 8
  // The file and the line tell more than the version.
  const location = measure(clean(label.versionedLocation)) <= widest ? label.versionedLocation : elide(label.location, widest, measure, 0.7)
  canvas.text(location, x + room * 0.56, baseline, { font, size: theme.text.small, colour: label.own ? theme.ink : theme.muted })
  for (const column of ['self', 'total'] as const) {
    const time = functions[column][frame] as number
    const font = column === key ? 'bold' : 'regular'
    canvas.text(formatTime(time), right - COLUMNS[column], baseline, { size, align: 'right' })
    canvas.text(formatShare(time / times.busy), right - COLUMNS[`${column}Share`], baseline, { font, size, align: 'right' })
  }
  canvas.rule(x, top + ROW_HEIGHT, width, { line: 0.3 })
}
