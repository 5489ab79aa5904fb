import { outsideTimes, waitFrames } from '@geordi/callgraph'
import type { Canvas } from '../canvas/canvas.ts'
import { heat, textOn } from '../colour.ts'
import { type Content, COUNTED, countsWaits } from '../content.ts'
import { drawEdgeLine, edgeLine } from '../edge-line.ts'
import { nameSize } from '../node-box.ts'
import { formatShare, formatTime, plural } from '../numbers.ts'
import { wrap } from '../text.ts'
import { theme } from '../theme.ts'
import { WAIT_GROUPS, waitEdge, waitFill, waitGroup, waitName } from '../wait-groups.ts'

/** One explained thing: its words at the left of a drawing. */
interface Entry {
  readonly title: string
  readonly width: number
  readonly draw: (x: number, y: number) => void
}

const ROW_HEIGHT = 34
const GAP = 20
const BOX_HEIGHT = 26

/** Draws what explains colour, size, dashes, percentages, and what was left out. */
export function drawLegend (canvas: Canvas, content: Content, x: number, top: number, width: number): void {
  let y = top
  for (const row of rowsOf(entries(canvas, content), width)) {
    let left = x
    for (const { title, width, draw } of row) {
      canvas.text(title, left, y + 7, { size: theme.text.small, colour: theme.muted })
      draw(left, y + 12)
      left += width + GAP
    }
    y += ROW_HEIGHT
  }
  y = drawOutside(canvas, content, x, y + 2, width)
  for (const line of explanation(canvas, content, width)) {
    canvas.text(line, x, y + 8, { size: theme.text.small, colour: theme.muted })
    y += 10
  }
  canvas.rule(x, y + 8, width)
}

export function legendHeight (canvas: Canvas, content: Content, width: number): number {
  return rowsOf(entries(canvas, content), width).length * ROW_HEIGHT + 2 + outsideRows(canvas, content, width).length * (BOX_HEIGHT + 6) +
    explanation(canvas, content, width).length * 10 + 10
}

function entries (canvas: Canvas, content: Content): Entry[] {
  const sampleLine = (residual: boolean, critical: boolean) => (x: number, y: number) =>
    drawEdgeLine(canvas, edgeLine(canvas.type, { share: critical ? 0.6 : 0.3, residual, critical }),
      { curve: [{ x, y: y + 6 }, { x: x + 15, y: y + 6 }, { x: x + 35, y: y + 6 }, { x: x + 50, y: y + 6 }], tip: { x: x + 60, y: y + 6 } })
  const titleWidth = (title: string) => canvas.measure(title, 'regular', theme.text.small)
  const entry = (title: string, width: number, draw: Entry['draw']): Entry => ({ title, width: Math.max(width, titleWidth(title)), draw })
  return [
    entry('Box colour: share of total time', 140, (x, y) => drawRamp(canvas, x, y, 140)),
    entry('Name size: share of self time', 110, (x, y) => {
      let left = x
      for (const share of [0.01, 0.1, 0.3]) {
        const size = nameSize(share)
        const text = formatShare(share).replace('.0', '')
        canvas.text(text, left, y + 13, { font: 'bold', size })
        left += canvas.measure(text, 'bold', size) + 10
      }
    }),
    entry('Call, and its share of time', 60, sampleLine(false, false)),
    entry('Dashed: via others not shown', 60, sampleLine(true, false)),
    entry('Critical path: heaviest chain', 60, sampleLine(false, true)),
    entry('Bold place: your code', 60, (x, y) => {
      canvas.text('src/app.js:30', x, y + 9, { font: 'bold', size: theme.text.small })
    }),
    ...waitEntry(canvas, content, entry)
  ]
}

/** What was waited for, one round box for each colour that there is. */
function waitEntry (canvas: Canvas, { profile, graph: { nodes } }: Content, entry: (title: string, width: number, draw: Entry['draw']) => Entry): Entry[] {
  const waits = waitFrames(profile)
  const kinds = new Set(nodes.map(({ frame }) => waits.get(frame)?.kind).filter(kind => kind !== undefined))
  const samples = WAIT_GROUPS.flatMap(group => {
    const own = Array.from(kinds).filter(kind => waitGroup(kind) === group)
    const [first] = own
    if (first === undefined) return []
    const text = waitName(group, own)
    return [{ text, fill: waitFill(first, 0.4), stroke: waitEdge(first), width: canvas.measure(text, 'regular', theme.text.small) + 16 }]
  })
  if (samples.length === 0) return []
  const width = samples.reduce((sum, { width }) => sum + width + 6, -6)
  return [entry('Round box: what was waited for; the fuller its colour, the larger its share of time', width, (x, y) => {
    let left = x
    for (const { text, fill, stroke, width } of samples) {
      canvas.box(left, y, width, 14, { fill, stroke, line: 1.4, radius: 7 })
      canvas.text(text, left + width / 2, y + 9.5, { size: theme.text.small, colour: textOn(fill), align: 'centre' })
      left += width + 6
    }
  })]
}

function drawRamp (canvas: Canvas, x: number, y: number, width: number): void {
  const steps = 50
  for (let step = 0; step < steps; step++) {
    // The ramp is drawn in even steps of colour; the ticks say which share each stands for.
    canvas.box(x + width * step / steps, y, width / steps + 0.3, 7, { fill: heat(((step + 0.5) / steps) ** 2) })
  }
  canvas.box(x, y, width, 7, { stroke: theme.muted, line: 0.4 })
  for (const share of [0, 0.05, 0.2, 0.5, 1]) {
    const align = share === 0 ? 'left' : share === 1 ? 'right' : 'centre'
    canvas.text(`${share * 100}%`, x + width * Math.sqrt(share), y + 15, { size: theme.text.label, colour: theme.muted, align })
  }
}

interface OutsideBox { readonly name: string, readonly detail: string, readonly width: number }

/** What has time but no place in the graph, each as a box. */
function outsideBoxes (canvas: Canvas, content: Content): OutsideBox[] {
  const { graph } = content
  const { times, other } = graph
  const { gc, program, recording, idle } = outsideTimes(graph)
  const share = (time: number) => formatShare(times.total > 0 ? time / times.total : 0)
  const boxes = [
    { name: 'other', detail: `${hidden(content)} not shown · self ${share(other.self)}`, time: other.functions },
    { name: '(garbage collector)', detail: `of memory that any function used · self ${share(gc)}`, time: gc },
    { name: '(program)', detail: `V8, outside functions · self ${share(program)}`, time: program },
    { name: '(recording)', detail: `what recording the waits took · self ${share(recording)}`, time: recording },
    { name: '(idle)', detail: `nothing ran, and nothing known was waited for · self ${share(idle)}`, time: idle }
  ]
  return boxes.filter(({ time }) => time > 0).map(({ name, detail }) => ({
    name,
    detail,
    width: 14 + Math.max(canvas.measure(name, 'bold', theme.text.body), canvas.measure(detail, 'regular', theme.text.small))
  }))
}

function hidden (content: Content): string {
  const { unit, graph: { other: { functions } } } = content
  return `${plural(functions, unit)}${countsWaits(content) ? ` or wait${functions === 1 ? '' : 's'}` : ''}`
}

function outsideRows (canvas: Canvas, content: Content, width: number): OutsideBox[][] {
  return rowsOf(outsideBoxes(canvas, content), width)
}

function drawOutside (canvas: Canvas, content: Content, x: number, top: number, width: number): number {
  let y = top
  for (const row of outsideRows(canvas, content, width)) {
    let left = x
    for (const box of row) {
      canvas.box(left, y, box.width, BOX_HEIGHT, { fill: theme.shade, stroke: theme.muted, line: 0.6, radius: 3, dash: 2 })
      canvas.text(box.name, left + 7, y + 10.5, { font: 'bold', size: theme.text.body })
      canvas.text(box.detail, left + 7, y + 20.5, { size: theme.text.small })
      left += box.width + GAP
    }
    y += BOX_HEIGHT + 6
  }
  return y
}

function explanation (canvas: Canvas, content: Content, width: number): string[] {
  const { unit, graph } = content
  const { times, nodes, other, options } = graph
  const { gc, program, recording, idle } = outsideTimes(graph)
  const share = (time: number) => formatShare(time / times.total)
  const shown = nodes.reduce((sum, { self }) => sum + self, 0)
  const parts = [
    `${share(shown)} in the ${unit}s${countsWaits(content) ? ' and waits' : ''} shown`,
    ...other.self > 0 ? [`${share(other.self)} in others`] : [],
    ...gc > 0 ? [`${share(gc)} garbage collection`] : [],
    ...program > 0 ? [`${share(program)} V8`] : [],
    ...recording > 0 ? [`${share(recording)} recording`] : [],
    ...idle > 0 ? [`${share(idle)} idle`] : []
  ]
  const least = formatShare(options.nodeFraction).replace('.0', '')
  const left = [
    ...other.functions > 0 ? [`${unit}s below ${least} of total time, and beyond the ${options.maxNodes} that tell the most`] : [],
    ...other.edges > 0 ? [plural(other.edges, 'lighter call')] : []
  ]
  const text = `Percentages are of the ${COUNTED[options.time]}, ${formatTime(times.total)}${without(content)}. Self: in the ${unit} alone; total: with all it calls. ` +
    `Self times: ${parts.join(' + ')} = 100%.${left.length > 0 ? ` Not shown: ${left.join('; ')}.` : ''}`
  return wrap(text, width, canvas.measurer('regular', theme.text.small))
}

/** What of the sampled time isn't counted, in words. */
function without ({ graph: { times, options: { time } } }: Content): string {
  if (time === 'cpu' && times.wait + times.idle > 0) return `, the sampled time without ${formatTime(times.wait + times.idle)} of waiting`
  if (time === 'wait') return `, of ${formatTime(times.sampled)} sampled`
  return ''
}

function rowsOf<T extends { readonly width: number }> (items: readonly T[], width: number): T[][] {
  const rows: T[][] = []
  let right = Infinity
  for (const item of items) {
    if (right + item.width > width) {
      rows.push([])
      right = 0
    }
    rows.at(-1)?.push(item)
    right += item.width + GAP
  }
  return rows
}
