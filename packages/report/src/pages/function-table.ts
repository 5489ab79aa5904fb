import { labelFrame, waitFrames } from '@geordi/callgraph'
import type { Canvas } from '../canvas/canvas.ts'
import { heat } from '../colour.ts'
import { type Content, countsWaits } from '../content.ts'
import { formatCount, formatShare, formatTime } from '../numbers.ts'
import { boxPlace, rowPlace } from '../node-box.ts'
import { clean, elide, wrapWithin } from '../text.ts'
import { theme } from '../theme.ts'
import { waitColour } from '../wait-groups.ts'

const ROW_PADDING = 4.5
const LINE_HEIGHT = 8.5
export const TABLE_HEAD_HEIGHT = 10

/** Right edges of the columns of numbers, from the right edge of the table. */
const COLUMNS = { totalShare: 0, total: 36, selfShare: 80, self: 116, bar: 156 }
/** Where waits are counted beside what ran, the last column tells the latter's part of the total. */
const CPU_WIDTH = 44
const BAR_WIDTH = 36
const NUMBERS_WIDTH = COLUMNS.bar + BAR_WIDTH + 6
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

/** @param mostLines Of a name; beyond, its middle is left out. Statements get half as many: they can be long, and their beginning tells the most. */
export function functionRow (canvas: Canvas, content: Content, frame: number, width: number, mostLines: number): FunctionRow {
  const label = labelFrame(content.profile, frame)
  const room = width - NUMBERS_WIDTH - cpuWidth(content)
  const measure = canvas.measurer('bold', theme.text.body)
  const nameWidth = room * NAME_SHARE - GAP
  const most = label.wait === undefined ? mostLines : mostLines / 2
  const name = wrapWithin(label.name, nameWidth, most, measure)
  const small = canvas.measurer(label.own ? 'bold' : 'regular', theme.text.small)
  const widest = room * (1 - NAME_SHARE) - GAP
  // The file and the line tell more than the version.
  const times = label.wait === undefined || label.wait.count === 1 ? '' : `${formatCount(label.wait.count)} × `
  const [versioned, location] = [times + label.versionedLocation, times + label.location]
  const place = small(clean(versioned)) <= widest ? versioned : elide(location, widest, small, label.wait === undefined ? 0.7 : 0.5)
  return { frame, name, location: place, own: label.own, height: ROW_PADDING + LINE_HEIGHT * Math.max(1, name.length) }
}

function cpuWidth (content: Content): number {
  return countsWaits(content) && content.graph.options.time === 'wall' ? CPU_WIDTH : 0
}

export function drawTableHead (canvas: Canvas, content: Content, x: number, y: number, width: number): void {
  const cpu = cpuWidth(content)
  const right = x + width - cpu
  const small = { size: theme.text.small, colour: theme.muted }
  canvas.text('Function', x, y + 6, small)
  canvas.text('Self', right - COLUMNS.selfShare, y + 6, { ...small, align: 'right' })
  canvas.text('Total', right - COLUMNS.totalShare, y + 6, { ...small, align: 'right' })
  if (cpu > 0) canvas.text('of it CPU', right + cpu, y + 6, { ...small, align: 'right' })
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
  const cpu = cpuWidth(content)
  const right = x + width - cpu
  const baseline = top + 9.5
  const share = (functions[key][frame] as number) / times.total
  const size = theme.text.body
  const room = width - NUMBERS_WIDTH - cpu
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
  const wait = waitFrames(profile).get(frame)
  const bar = right - COLUMNS.bar - BAR_WIDTH
  canvas.box(bar, top + 4, BAR_WIDTH, 5.5, { fill: theme.shade })
  canvas.box(bar, top + 4, BAR_WIDTH * Math.min(1, share), 5.5, { fill: wait === undefined ? heat(0.3) : waitColour(wait.kind) })
  for (const column of ['self', 'total'] as const) {
    const time = functions[column][frame] as number
    const font = column === key ? 'bold' : 'regular'
    canvas.text(formatTime(time), right - COLUMNS[column], baseline, { size, align: 'right' })
    canvas.text(formatShare(time / times.total), right - COLUMNS[`${column}Share`], baseline, { font, size, align: 'right' })
  }
  if (cpu > 0 && wait === undefined) canvas.text(formatTime(functions.cpu[frame] as number), right + cpu, baseline, { size, align: 'right' })
  canvas.rule(x, top + height, width, { line: 0.3 })
}
