import type { Canvas } from '../canvas/canvas.ts'
import { type Content, COUNTED, countsWaits } from '../content.ts'
import { formatTime } from '../numbers.ts'
import { theme } from '../theme.ts'
import { drawFunctionRow, drawTableHead, functionRow, type FunctionRow, TABLE_HEAD_HEIGHT } from './function-table.ts'
import { footer, heading, HEADING_HEIGHT } from './parts.ts'

const { margin, width: pageWidth, height: pageHeight } = theme.page
const width = pageWidth - 2 * margin
const ROOM = pageHeight - 36 - margin - HEADING_HEIGHT - TABLE_HEAD_HEIGHT

/** The functions that the graph shows, with their whole names, on as many pages as it takes. */
export function drawFunctions (canvas: Canvas, content: Content): void {
  const rows = content.graph.nodes.map(({ frame }) => functionRow(canvas, content, frame, width, Infinity))
  pagesOf(rows).forEach((page, at) => drawPage(canvas, content, page, at === 0))
}

function pagesOf (rows: readonly FunctionRow[]): FunctionRow[][] {
  const pages: FunctionRow[][] = []
  let room = 0
  for (const row of rows) {
    if (row.height > room) {
      pages.push([])
      room = ROOM
    }
    pages.at(-1)?.push(row)
    room -= row.height
  }
  return pages
}

function drawPage (canvas: Canvas, content: Content, rows: readonly FunctionRow[], isFirst: boolean): void {
  const { unit, graph: { times, options: { time } } } = content
  const units = `${unit[0]?.toUpperCase()}${unit.slice(1)}s`
  const title = isFirst ? units : `${units}, continued`
  canvas.addPage(title, pageWidth, pageHeight)
  const what = isFirst ? `${countsWaits(content) ? `${units} and waits` : units} of the call graph, by total time` : title
  let y = heading(canvas, what, `share of the ${COUNTED[time]}, ${formatTime(times.total)}`, margin, margin, width)
  drawTableHead(canvas, content, margin, y, width)
  y += TABLE_HEAD_HEIGHT
  for (const row of rows) {
    drawFunctionRow(canvas, content, row, 'total', margin, y, width, true)
    y += row.height
  }
  footer(canvas, pageWidth, pageHeight, title)
}
