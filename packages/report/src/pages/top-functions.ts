import { topFunctions } from '@geordi/callgraph'
import type { Canvas } from '../canvas/canvas.ts'
import { type Content, COUNTED, countsWaits } from '../content.ts'
import { formatTime } from '../numbers.ts'
import { drawFunctionRow, drawTableHead, functionRow, type FunctionRow, TABLE_HEAD_HEIGHT } from './function-table.ts'
import { heading, HEADING_HEIGHT } from './parts.ts'

/** As many are named. */
export const MOST_ROWS = 20

/** Lines of a name on the first page: some 250 letters. The table of the functions has all of them. */
const MOST_LINES = 6

const GAP = 4

/** The tables of the functions with the most self time and the most total time, as long as the room is. */
export function drawTopFunctions (canvas: Canvas, content: Content, x: number, top: number, width: number, bottom: number): void {
  const room = (bottom - top - GAP) / 2
  const bySelf = rowsWithin(canvas, content, 'self', width, room)
  const selfHeight = heightOf(bySelf)
  const byTotal = rowsWithin(canvas, content, 'total', width, 2 * room - selfHeight)
  if (byTotal.length === 0) return
  const what = `${content.unit}s${countsWaits(content) ? ' and waits' : ''}`
  const y = bySelf.length === 0 ? top : drawTable(canvas, content, `Top ${what} by self time`, bySelf, 'self', x, top, width)
  drawTable(canvas, content, `Top ${what} by total time`, byTotal, 'total', x, y + GAP, width)
}

function rowsWithin (canvas: Canvas, content: Content, key: 'self' | 'total', width: number, room: number): FunctionRow[] {
  const rows: FunctionRow[] = []
  for (const frame of topFunctions(content.graph, key, MOST_ROWS)) {
    const row = functionRow(canvas, content, frame, width, MOST_LINES)
    if (heightOf([...rows, row]) > room) break
    rows.push(row)
  }
  return rows
}

function heightOf (rows: readonly FunctionRow[]): number {
  return rows.reduce((sum, { height }) => sum + height, HEADING_HEIGHT + TABLE_HEAD_HEIGHT)
}

function drawTable (canvas: Canvas, content: Content, title: string, rows: readonly FunctionRow[], key: 'self' | 'total',
  x: number, top: number, width: number): number {
  const { times, options } = content.graph
  canvas.place(`top-${key}`, x, top, title)
  let y = heading(canvas, title, `share of the ${COUNTED[options.time]}, ${formatTime(times.total)}`, x, top, width)
  drawTableHead(canvas, content, x, y, width)
  y += TABLE_HEAD_HEIGHT
  for (const row of rows) {
    drawFunctionRow(canvas, content, row, key, x, y, width)
    y += row.height
  }
  return y
}
