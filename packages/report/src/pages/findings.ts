import { waitKindName } from '@geordi/callgraph'
import type { Profile } from '@geordi/profile'
import type { Canvas } from '../canvas/canvas.ts'
import type { Content } from '../content.ts'
import type { Finding } from '../findings/finding.ts'
import { SLOW_OPERATION } from '../findings/thresholds.ts'
import { formatCount, formatShare, formatShortShare, formatTime, plural } from '../numbers.ts'
import { elide, wrap } from '../text.ts'
import { theme } from '../theme.ts'
import { placeOfSite, type Place } from '../waits/places.ts'
import { statementOf, type Tally } from '../waits/tallies.ts'
import { heading, HEADING_HEIGHT } from './parts.ts'

/** Width of the column of shares. */
const ASIDE = 46
const LINE = 10
const GAP = 7
const MOST_TITLE_LINES = 2
/** What has more than this share of the time is told where no finding is. */
const MOST = 0.5
const MOST_EVIDENCE_LINES = 2

/** One finding in lines that fit. */
interface Entry {
  readonly finding: Finding
  readonly title: readonly string[]
  readonly subject: string
  readonly evidence: readonly string[]
  readonly advice: readonly string[]
  readonly height: number
}

/**
 * The findings with all that shows them, as many as fit; the others' titles.
 *
 * @param room Their height at most.
 * @returns The y below.
 */
export function drawFindings (canvas: Canvas, content: Content, x: number, top: number, width: number, room: number): number {
  const { findings, recording, wall } = content
  if (findings.length === 0) return recording.waits === undefined ? top : drawNothing(canvas, content, x, top, width)
  canvas.place('findings', x, top, 'Findings')
  let y = heading(canvas, 'Findings', `what each has of the wall time, ${formatTime(wall.time)}${recording.waits === undefined ? '' : ', with what drivers do for it'}; some overlap`, x, top, width)
  const entries = findings.map(finding => entryOf(canvas, finding, width - ASIDE))
  const bottom = top + room
  let shown = 0
  for (const entry of entries) {
    // The first one always; the others' titles want room, too.
    if (shown > 0 && y + entry.height + (entries.length - shown - 1) * (LINE + 2) > bottom) break
    y = drawEntry(canvas, content, entry, x, y, width)
    shown++
  }
  const rest = findings.slice(shown)
  const lines = Math.max(0, Math.floor((bottom - y) / (LINE + 2)))
  const listed = rest.length <= lines ? rest : rest.slice(0, Math.max(0, lines - 1))
  for (const finding of listed) y = drawTitle(canvas, finding, x, y, width)
  if (rest.length > listed.length) {
    canvas.text(`… and ${plural(rest.length - listed.length, 'finding')} more, which cost less`, x + ASIDE, y + 7, { size: theme.text.small, colour: theme.muted })
    y += LINE + 2
  }
  return y + 4
}

function drawNothing (canvas: Canvas, content: Content, x: number, top: number, width: number): number {
  const { wall, recording, look: { recorded } } = content
  const y = heading(canvas, 'Findings', `of the wall time, ${formatTime(wall.time)}`, x, top, width)
  const [longest] = recorded?.tallies.toSorted((a, b) => b.wall - a.wall) ?? []
  // That nothing stands out would be wrong of a request that is asleep.
  const text = longest === undefined || longest.wall < MOST * wall.time || longest.wall < SLOW_OPERATION.time
    ? 'Nothing stands out: no known cause of slowness has a share that would be noticed.'
    : `No known cause of slowness, but one thing is waited for ${formatShare(longest.wall / wall.time)} of the time: ${thingOf(recording, longest)}`
  canvas.text(elide(text, width, canvas.measurer('regular', theme.text.body), 0.3), x, y + 6, { size: theme.text.body })
  return y + HEADING_HEIGHT / 2 + 2
}

/** `3 × setTimeout, src/pause.ts:12` */
function thingOf (recording: Profile, tally: Tally): string {
  const { kind, count, site } = tally
  const what = `${count === 1 ? '' : `${formatCount(count)} × `}${statementOf(tally) || waitKindName(kind)}`
  return site < 0 ? what : `${what}, ${placeOfSite(recording, site).location}`
}

function entryOf (canvas: Canvas, finding: Finding, width: number): Entry {
  const { title, subject, evidence, advice, places } = finding
  const bold = canvas.measurer('bold', theme.text.body)
  const body = canvas.measurer('regular', theme.text.body)
  const small = canvas.measurer('regular', theme.text.small)
  const lines = {
    title: cut(wrap(title, width, bold), MOST_TITLE_LINES, width, bold),
    evidence: cut(wrap(evidence.join(' · '), width, small), MOST_EVIDENCE_LINES, width, small),
    advice: wrap(advice, width, body)
  }
  const count = lines.title.length + lines.evidence.length + lines.advice.length + (subject === '' ? 0 : 1) + (places.length === 0 ? 0 : 1)
  return { finding, ...lines, subject: subject === '' ? '' : elide(subject, width, small), height: count * LINE + GAP }
}

/** The first lines, and that there are more. */
function cut (lines: readonly string[], most: number, width: number, measure: (text: string) => number): readonly string[] {
  if (lines.length <= most) return lines
  return [...lines.slice(0, most - 1), elide(`${lines[most - 1]} …`, width, measure, 0)]
}

function drawEntry (canvas: Canvas, content: Content, { finding, title, subject, evidence, advice, height }: Entry, x: number, top: number, width: number): number {
  const { share, time, places } = finding
  const left = x + ASIDE
  canvas.text(formatShortShare(share), x, top + 9, { font: 'bold', size: theme.text.heading + 2 })
  canvas.text(formatTime(time), x, top + 19, { size: theme.text.small, colour: theme.muted })
  let baseline = top + 7
  const line = (text: string, style: Parameters<Canvas['text']>[3]) => {
    canvas.text(text, left, baseline, style)
    baseline += LINE
  }
  for (const text of title) line(text, { font: 'bold', size: theme.text.body })
  if (subject !== '') line(subject, { size: theme.text.small })
  if (places.length > 0) {
    drawPlaces(canvas, content, places, left, baseline, width - ASIDE)
    baseline += LINE
  }
  for (const text of evidence) line(text, { size: theme.text.small, colour: theme.muted })
  for (const text of advice) line(text, { size: theme.text.body })
  canvas.rule(x, top + height - GAP + 2, width, { line: 0.3 })
  return top + height
}

/** `loadUser src/users.ts:12 ← listOrders src/orders.ts:40`: the call, and who led to it, as far as there is room. */
function drawPlaces (canvas: Canvas, { source }: Content, places: readonly Place[], x: number, baseline: number, width: number): void {
  const size = theme.text.small
  let left = x
  for (const [at, place] of places.entries()) {
    const parts = [{ text: at === 0 ? '' : '← ', font: 'regular' as const }, { text: `${place.label} `, font: 'regular' as const }, { text: place.location, font: 'bold' as const }]
    const needed = parts.reduce((sum, { text, font }) => sum + canvas.measure(text, font, size), 0)
    if (at > 0 && left + needed > x + width) return
    for (const { text, font } of parts) {
      const shown = elide(text, Math.max(20, x + width - left), canvas.measurer(font, size), 0.7)
      const draw = () => canvas.text(shown, left, baseline, { font, size })
      const wide = canvas.measure(text.endsWith(' ') ? `${shown} ` : shown, font, size)
      const url = font === 'bold' ? source(place) : undefined
      if (url === undefined) draw()
      else canvas.link({ url }, { x: left, y: baseline - 7, width: wide, height: LINE }, draw)
      left += wide
    }
    left += 4
  }
}

function drawTitle (canvas: Canvas, { title, subject, share, places }: Finding, x: number, top: number, width: number): number {
  const baseline = top + 7
  canvas.text(formatShortShare(share), x, baseline, { font: 'bold', size: theme.text.small })
  const where = places[0] === undefined ? '' : ` · ${places[0].location}`
  // What is found six times has six lines that would be the same.
  const what = subject === '' ? '' : ` · ${subject}`
  canvas.text(elide(`${title}${where}${what}`, width - ASIDE, canvas.measurer('regular', theme.text.small), 0), x + ASIDE, baseline, { size: theme.text.small })
  return top + LINE + 2
}
