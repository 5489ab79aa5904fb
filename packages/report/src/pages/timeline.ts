import { waitKindName } from '@geordi/callgraph'
import type { Canvas } from '../canvas/canvas.ts'
import type { Content } from '../content.ts'
import { formatCount, formatTime, plural } from '../numbers.ts'
import { elide } from '../text.ts'
import { theme } from '../theme.ts'
import { waitColour } from '../wait-groups.ts'
import type { RecordedLook } from '../waits/look.ts'
import { placeOfSite } from '../waits/places.ts'
import { statementOf, type Tally } from '../waits/tallies.ts'
import { ticksOf } from '../waits/ticks.ts'
import { footer, heading, HEADING_HEIGHT } from './parts.ts'
import { drawBusy, drawBusyLegend } from './timeline-busy.ts'
import { drawBars, type Scale } from './timeline-bars.ts'

const { margin } = theme.page
// Lying: time has the width.
const [pageWidth, MOST_HEIGHT] = [theme.page.height, theme.page.width]
const width = pageWidth - 2 * margin
const LABELS = 232
const ROW = 15
const AXIS = 16
const BUSY = 34
const BELOW = 66
/** Rows that are hardly seen are told in sum: those whose waits have a smaller share of the time. */
const LEAST_SHARE = 0.002
const MOST_TICKS = 8

/** When the run did what: its processor above, below it a row for each statement and call site, in the order of their starts. */
export function drawTimeline (canvas: Canvas, content: Content): void {
  const { look: { recorded }, recording } = content
  if (recorded === undefined || recorded.tallies.length === 0) return
  const time = recording.samples.duration.reduce((sum, duration) => sum + duration, 0)
  if (!(time > 0)) return
  const scale: Scale = { from: recording.startTime, time, x: margin + LABELS, width: width - LABELS }
  const rowsTop = margin + HEADING_HEIGHT + AXIS + BUSY + 6
  const shown = shownRows(recorded, time, Math.floor((MOST_HEIGHT - BELOW - rowsTop) / ROW))
  const bottom = rowsTop + shown.length * ROW
  const pageHeight = bottom + BELOW
  canvas.addPage('Timeline', pageWidth, pageHeight)
  const top = heading(canvas, 'Timeline', 'a row is what one statement from one call site waited for; the higher, the more at once', margin, margin, width)
  drawAxis(canvas, scale, top, bottom)
  canvas.text('Running', margin, top + AXIS + 10, { font: 'bold', size: theme.text.small })
  canvas.text('what the thread did', margin, top + AXIS + 19, { size: theme.text.label, colour: theme.muted })
  drawBusy(canvas, content, scale, top + AXIS, BUSY)
  shown.forEach((tally, at) => {
    const y = rowsTop + at * ROW
    drawLabel(canvas, content, tally, y)
    drawBars(canvas, recorded.waits, tally.waits, waitColour(tally.kind), scale, y + 2, ROW - 3)
    canvas.rule(margin, y + ROW, width, { line: 0.25 })
  })
  drawRest(canvas, recorded.tallies.filter(tally => !shown.includes(tally)), bottom)
  drawBusyLegend(canvas, content, margin, pageHeight - 40)
  footer(canvas, pageWidth, pageHeight, 'Timeline')
}

/** The costliest, in the order in which they began. */
function shownRows ({ tallies, waits }: RecordedLook, time: number, most: number): Tally[] {
  const start = ({ waits: members }: Tally) => waits.start[members[0] as number] as number
  return tallies.filter(({ total }) => total >= LEAST_SHARE * time).slice(0, most).sort((a, b) => start(a) - start(b))
}

function drawAxis (canvas: Canvas, { time, x, width: wide }: Scale, top: number, bottom: number): void {
  const { step, labels } = ticksOf(time, MOST_TICKS)
  labels.forEach((label, at) => {
    const left = x + at * step / time * wide
    canvas.curve([{ x: left, y: top + 11 }, { x: left, y: top + 11 }, { x: left, y: bottom }, { x: left, y: bottom }], { colour: theme.rule, line: 0.4 })
    // The last mark may be at the very edge.
    const align = at === 0 ? 'left' : left + canvas.measure(label, 'regular', theme.text.small) / 2 > x + wide ? 'right' : 'centre'
    canvas.text(label, left, top + 8, { size: theme.text.small, colour: theme.muted, align })
  })
}

function drawLabel (canvas: Canvas, { recording }: Content, tally: Tally, y: number): void {
  const { kind, site, count, total, sync } = tally
  const room = LABELS - 10
  canvas.box(margin, y + 2.5, 2.5, ROW - 4, { fill: waitColour(kind) })
  canvas.text(elide(statementOf(tally) || waitKindName(kind), room - 6, canvas.measurer('regular', theme.text.label)), margin + 6, y + 7, { size: theme.text.label })
  const where = site < 0 ? '' : `${placeOfSite(recording, site).location} · `
  const what = `${waitKindName(kind)}${sync ? ', blocking' : ''} · ${where}${formatCount(count)} ×, ${formatTime(total)}`
  // Six points are the least that is read.
  canvas.text(elide(what, room - 6, canvas.measurer('regular', 6)), margin + 6, y + 13.5, { size: 6, colour: theme.muted })
}

function drawRest (canvas: Canvas, rest: readonly Tally[], bottom: number): void {
  if (rest.length === 0) return
  const sum = (of: (tally: Tally) => number) => rest.reduce((sum, tally) => sum + of(tally), 0)
  const text = `${plural(rest.length, 'more group')}, not shown: ${plural(sum(({ count }) => count), 'wait')}, ${formatTime(sum(({ total }) => total))} in all`
  canvas.text(text, margin, bottom + 11, { size: theme.text.small, colour: theme.muted })
}
