import type { Canvas } from '../canvas/canvas.ts'
import { type Content, COUNTED, samplesInWords, whyEmpty, whyPartial } from '../content.ts'
import { drawEdgeLabel, drawEdgeLine, type EdgeLine } from '../edge-line.ts'
import type { DrawableGraph } from '../fit-layout.ts'
import { titleOf } from '../names.ts'
import { drawNodeBox, type NodeBox } from '../node-box.ts'
import { formatCount, formatTime, plural } from '../numbers.ts'
import { elide, wrap } from '../text.ts'
import { theme } from '../theme.ts'
import { drawLegend, legendHeight } from './legend.ts'
import { footer, noteBox, noteBoxHeight } from './parts.ts'

const { margin } = theme.page
const HEADER = 36
const FOOTER = 40

/** On a page wider than this, what is above the graph grows with it, to be read at the same glance as the graph. */
const HEADER_WIDTH = 960
const MOST_GROWTH = 2.2

/** The call graph, on a page as large as it needs. */
export function drawGraphPage (canvas: Canvas, content: Content, drawable: DrawableGraph): void {
  const { placed } = drawable
  const width = Math.max(theme.page.width, placed.width + 2 * margin)
  const growth = Math.min(MOST_GROWTH, Math.max(1, width / HEADER_WIDTH))
  const inner = (width - 2 * margin) / growth
  const empty = whyEmpty(content)
  const notes = [whyPartial(content), ...content.notes, empty].filter(note => note !== undefined)
    .flatMap(note => wrap(note, inner - 24, canvas.measurer('regular', theme.text.body)))
  const legend = HEADER + (notes.length > 0 ? noteBoxHeight(notes) + 12 : 0)
  const above = legend + (empty === undefined ? legendHeight(canvas, content, inner) : 0)
  const top = margin + above * growth + 20
  const height = top + placed.height + FOOTER + 10

  canvas.addPage('Call graph', width, height)
  canvas.group({ at: { x: margin, y: margin }, scale: growth }, () => {
    drawHeader(canvas, content, inner)
    if (notes.length > 0) noteBox(canvas, notes, 0, HEADER, inner)
    if (empty === undefined) drawLegend(canvas, content, 0, legend, inner)
  })
  canvas.group({ at: { x: (width - placed.width) / 2, y: top } }, () => drawGraph(canvas, drawable))
  footer(canvas, width, height, 'Call graph')
}

function drawHeader (canvas: Canvas, content: Content, width: number): void {
  const { profile, unit, graph: { nodes, edges, other, functions } } = content
  const waits = nodes.filter(({ frame }) => functions.kind[frame] === 'wait').length
  const shown = nodes.length - waits
  const title = elide(titleOf(profile.run), width, canvas.measurer('bold', theme.text.title))
  canvas.text(title, 0, 12, { font: 'bold', size: theme.text.title })
  const facts = [
    timeInWords(content),
    samplesInWords(content, 'busy'),
    ...waits > 0
      ? [`${plural(shown, unit)} and ${plural(waits, 'wait')} of ${formatCount(nodes.length + other.functions)}`]
      : [`${formatCount(nodes.length)} of ${plural(nodes.length + other.functions, unit)}`],
    plural(edges.length, 'call')
  ]
  const line = ['Call graph', ...nodes.length > 0 ? facts : []].join(' · ')
  canvas.text(elide(line, width, canvas.measurer('regular', theme.text.body)), 0, 27, { size: theme.text.body, colour: theme.muted })
}

function timeInWords ({ graph: { times, options: { time } }, recording: { waits } }: Content): string {
  if (waits === undefined) return `${formatTime(times.busy)} busy of ${formatTime(times.sampled)} sampled`
  return `${formatTime(times.total)} ${COUNTED[time]}`
}

function drawGraph (canvas: Canvas, { placed, boxes, lines, critical }: DrawableGraph): void {
  const links = placed.links.map((link, id) => ({ link, line: lines[id] as EdgeLine, critical: critical[id] === true }))
  // The critical path last, so that no other line crosses it visibly.
  for (const { link, line } of links.filter(({ critical }) => !critical).reverse()) drawEdgeLine(canvas, line, link)
  for (const { link, line } of links.filter(({ critical }) => critical)) drawEdgeLine(canvas, line, link)
  placed.boxes.forEach((centre, id) => drawNodeBox(canvas, boxes[id] as NodeBox, centre))
  for (const { link, line } of links) drawEdgeLabel(canvas, line, link)
}
