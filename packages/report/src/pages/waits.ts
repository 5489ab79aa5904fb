import { waitKindName } from '@geordi/callgraph'
import type { Canvas } from '../canvas/canvas.ts'
import { textOn } from '../colour.ts'
import type { Content } from '../content.ts'
import { formatCount, formatShare, formatTime, plural } from '../numbers.ts'
import { elide, wrapWithin } from '../text.ts'
import { theme } from '../theme.ts'
import { waitColour } from '../wait-groups.ts'
import { placeOfSite, type Place } from '../waits/places.ts'
import { statementOf, type Tally } from '../waits/tallies.ts'
import { footer, heading, HEADING_HEIGHT } from './parts.ts'
import { drawKinds, kindsHeight } from './wait-kinds.ts'

const { margin, width: pageWidth, height: pageHeight } = theme.page
const width = pageWidth - 2 * margin

/** Rows; the others are one line. */
export const MOST_WAIT_ROWS = 60
const MOST_LINES = 2
const LINE = 8.5
const PADDING = 5
const HEAD = 10
const BOTTOM = pageHeight - 36

/** Right edges of the columns of numbers, from the right. */
const COLUMNS = { again: 0, share: 36, wall: 74, max: 118, p95: 160, median: 202, total: 244, count: 288 }
const NUMBERS = 324
/** Of the text, after the mark of its kind. */
const INDENT = 6

interface Row {
  readonly tally: Tally
  readonly statement: readonly string[]
  /** What the longest was asked with, if that is to be seen. */
  readonly values: readonly string[]
  readonly place: Place | undefined
  readonly height: number
}

/** What was waited for, by statement and call site, the costliest first. Their shares of the wall time sum to the bar's. */
export function drawWaits (canvas: Canvas, content: Content): void {
  const { look: { recorded } } = content
  if (recorded === undefined || recorded.tallies.length === 0) return
  const rows = recorded.tallies.slice(0, MOST_WAIT_ROWS).map(tally => rowOf(canvas, content, tally))
  const rest = recorded.tallies.slice(MOST_WAIT_ROWS)
  let y = beginPage(canvas, content, true)
  for (const row of rows) {
    if (y + row.height > BOTTOM - 14) {
      footer(canvas, pageWidth, pageHeight, 'Waits')
      y = beginPage(canvas, content, false)
    }
    y = drawRow(canvas, content, row, y)
  }
  if (rest.length > 0) {
    const sum = (of: (tally: Tally) => number) => rest.reduce((sum, tally) => sum + of(tally), 0)
    const text = `${plural(rest.length, 'more group')}: ${plural(sum(({ count }) => count), 'wait')}, ${formatTime(sum(({ total }) => total))} in all, ` +
      `${formatTime(sum(({ wall }) => wall))} of the wall time`
    canvas.text(text, margin, y + 10, { size: theme.text.small, colour: theme.muted })
  }
  footer(canvas, pageWidth, pageHeight, 'Waits')
}

function beginPage (canvas: Canvas, content: Content, isFirst: boolean): number {
  const title = isFirst ? 'Waits' : 'Waits, continued'
  canvas.addPage(title, pageWidth, pageHeight)
  let y = margin
  if (isFirst) {
    y = heading(canvas, 'Waits by kind', `wall: of the wall time, ${formatTime(content.wall.time)}, as in the bar; total: each in full, several at once count twice`, margin, y, width)
    drawKinds(canvas, content, margin, y, width)
    y += kindsHeight(content) + HEADING_HEIGHT / 2
  }
  y = heading(canvas, isFirst ? 'Waits by statement and call site' : title, 'again: asked before with the same values', margin, y, width)
  const small = { size: theme.text.small, colour: theme.muted, align: 'right' as const }
  const right = margin + width
  canvas.text('What, and where it was called', margin, y + 6, { ...small, align: 'left' })
  for (const [name, at] of Object.entries(COLUMNS)) canvas.text(name === 'share' ? 'of wall' : `${name[0]?.toUpperCase()}${name.slice(1)}`, right - at, y + 6, small)
  canvas.rule(margin, y + HEAD, width, { line: 0.3 })
  return y + HEAD
}

function rowOf (canvas: Canvas, { recording }: Content, tally: Tally): Row {
  const room = width - NUMBERS - INDENT
  const measure = canvas.measurer('regular', theme.text.small)
  const statement = wrapWithin(statementOf(tally), room, MOST_LINES, measure)
  const values = tally.values === undefined ? [] : wrapWithin(`values of the slowest: ${tally.values}`, room, MOST_LINES, measure)
  const place = tally.site < 0 ? undefined : placeOfSite(recording, tally.site)
  return { tally, statement, values, place, height: PADDING + LINE * (statement.length + values.length + 1) }
}

function drawRow (canvas: Canvas, { wall, source }: Content, { tally, statement, values, place, height }: Row, top: number): number {
  const size = theme.text.small
  const right = margin + width
  const fill = waitColour(tally.kind)
  let baseline = top + 8.5
  const write = (lines: readonly string[], colour: string) => {
    for (const line of lines) {
      canvas.text(line, margin + INDENT, baseline, { size, colour })
      baseline += LINE
    }
  }
  write(statement, theme.ink)
  write(values, theme.muted)
  canvas.box(margin, top + 3, 2.5, height - 5, { fill })
  drawOrigin(canvas, tally, place, source, baseline)
  const first = top + 8.5
  const { count, total, median, p95, max, wall: own, sync, repeats } = tally
  const cells: Record<keyof typeof COLUMNS, string> = {
    count: formatCount(count),
    total: formatTime(total),
    median: formatTime(median),
    p95: formatTime(p95),
    max: formatTime(max),
    wall: sync ? 'in CPU' : formatTime(own),
    share: sync ? '' : formatShare(own / wall.time),
    again: repeats === 0 ? '' : formatCount(repeats)
  }
  for (const [name, text] of Object.entries(cells)) {
    canvas.text(text, right - COLUMNS[name as keyof typeof COLUMNS], first, { size, align: 'right', font: name === 'share' ? 'bold' : 'regular' })
  }
  if (!sync) canvas.box(right - COLUMNS.share - 30, first + 4, 30 * Math.min(1, own / wall.time), 3, { fill })
  canvas.rule(margin, top + height, width, { line: 0.3 })
  return top + height
}

function drawOrigin (canvas: Canvas, { kind, sync, failed }: Tally, place: Place | undefined, source: Content['source'], baseline: number): void {
  const size = theme.text.label
  const kindName = `${waitKindName(kind)}${sync ? ', blocks' : ''}`
  const chip = canvas.measure(kindName, 'bold', size) + 6
  canvas.box(margin + 6, baseline - 6.2, chip, 8, { fill: waitColour(kind), radius: 2 })
  canvas.text(kindName, margin + 9, baseline, { font: 'bold', size, colour: textOn(waitColour(kind)) })
  const left = margin + 6 + chip + 4
  const room = width - NUMBERS - chip - 4
  const failures = failed === 0 ? '' : ` · ${formatCount(failed)} failed`
  const text = `${place === undefined ? 'it isn\'t known who called it' : `${place.label} ${place.location}`}${failures}`
  const shown = elide(text, room, canvas.measurer('regular', size), 0.7)
  const draw = () => canvas.text(shown, left, baseline, { size, colour: theme.muted })
  const url = place === undefined ? undefined : source(place)
  if (url === undefined) draw()
  else canvas.link({ url }, { x: left, y: baseline - 7, width: room, height: LINE }, draw)
}
