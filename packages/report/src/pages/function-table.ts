import { labelFunction } from '@geordi/profile'
import type { Canvas } from '../canvas/canvas.ts'
import { heat } from '../colour.ts'
import type { Content } from '../content.ts'
import { formatShare, formatTime } from '../numbers.ts'
import { boxPlace, rowPlace } from '../node-box.ts'
import { clean, elide, wrap } from '../text.ts'
import { theme } from '../theme.ts'

const ROW_PADDING = 4.5
const LINE_HEIGHT = 8.5
export const TABLE_HEAD_HEIGHT = 10

/** Widths of the columns of numbers, from the right edge. */
const COLUMNS = { totalShare: 0, total: 36, selfShare: 80, self: 116 }
const BAR_RIGHT = 156
const BAR_WIDTH = 36
const NUMBERS_WIDTH = BAR_RIGHT + BAR_WIDTH + 6
const NAME_SHARE = 0.56
const GAP = 8

/** A function's row: its whole name, as many lines as it takes. */
export interface FunctionRow {
  readonly frame: number
  readonly name: readonly string[]
  readonly location: string
  readonly own: boolean
  readonly height: number
}

/** @param mostLines Of a name; beyond, its middle is left out. */
export function functionRow (canvas: Canvas, { profile }: Content, frame: number, width: number, mostLines: number): FunctionRow {
  const label = labelFunction(profile.frames[frame] as typeof profile.frames[number], profile.run)
  const room = width - NUMBERS_WIDTH
  const measure = canvas.measurer('bold', theme.text.body)
  const nameWidth = room * NAME_SHARE - GAP
  const lines = wrap(label.name, nameWidth, measure)
  // Lines end where words end: what is left out is a little more than what doesn't fit.
  const name = lines.length <= mostLines ? lines : wrap(elide(label.name, nameWidth * (mostLines - 0.5), measure), nameWidth, measure).slice(0, mostLines)
  const small = canvas.measurer(label.own ? 'bold' : 'regular', theme.text.small)
  const widest = room * (1 - NAME_SHARE) - GAP
  // The file and the line tell more than the version.
  const location = small(clean(label.versionedLocation)) <= widest ? label.versionedLocation : elide(label.location, widest, small, 0.7)
  return { frame, name, location, own: label.own, height: ROW_PADDING + LINE_HEIGHT * Math.max(1, name.length) }
}

export function drawTableHead (canvas: Canvas, x: number, y: number, width: number): void {
  const right = x + width
  const small = { size: theme.text.small, colour: theme.muted }
  canvas.text('Function', x, y + 6, small)
  canvas.text('Self', right - COLUMNS.selfShare, y + 6, { ...small, align: 'right' })
  canvas.text('Total', right - COLUMNS.totalShare, y + 6, { ...small, align: 'right' })
}

/**
 * Draws a row; its name leads to the function's box in the graph, its location to the source.
 *
 * @param isPlace Makes the row the place that the box leads to.
 */
export function drawFunctionRow (canvas: Canvas, content: Content, row: FunctionRow, key: 'self' | 'total', x: number, top: number, width: number,
  isPlace = false): void {
  const { profile, graph: { functions, times, nodes }, hasBoxes, source } = content
  const { frame, name, location, own, height } = row
  const right = x + width
  const baseline = top + 9.5
  const share = (functions[key][frame] as number) / times.busy
  const size = theme.text.body
  const room = width - NUMBERS_WIDTH
  if (isPlace) canvas.place(rowPlace(frame), x, top - 20)
  const nameWidth = room * NAME_SHARE - GAP
  const drawName = () => name.forEach((line, at) => canvas.text(line, x, baseline + at * LINE_HEIGHT, { font: 'bold', size }))
  if (hasBoxes && nodes.some(node => node.frame === frame)) canvas.link({ place: boxPlace(frame) }, { x, y: top, width: nameWidth, height }, drawName)
  else drawName()
  const style = { font: own ? 'bold' as const : 'regular' as const, size: theme.text.small, colour: own ? theme.ink : theme.muted }
  const left = x + room * NAME_SHARE
  const drawLocation = () => canvas.text(location, left, baseline, style)
  const url = source(profile.frames[frame] as typeof profile.frames[number])
  if (url === undefined) drawLocation()
  else canvas.link({ url }, { x: left, y: top, width: room * (1 - NAME_SHARE) - GAP, height }, drawLocation)
  canvas.box(right - BAR_RIGHT - BAR_WIDTH, top + 4, BAR_WIDTH, 5.5, { fill: theme.shade })
  canvas.box(right - BAR_RIGHT - BAR_WIDTH, top + 4, BAR_WIDTH * Math.min(1, share), 5.5, { fill: heat(0.3) })
  for (const column of ['self', 'total'] as const) {
    const time = functions[column][frame] as number
    const font = column === key ? 'bold' : 'regular'
    canvas.text(formatTime(time), right - COLUMNS[column], baseline, { size, align: 'right' })
    canvas.text(formatShare(time / times.busy), right - COLUMNS[`${column}Share`], baseline, { font, size, align: 'right' })
  }
  canvas.rule(x, top + height, width, { line: 0.3 })
}
