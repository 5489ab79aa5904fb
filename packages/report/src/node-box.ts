import type { FrameLabel, GraphNode } from '@geordi/callgraph'
import type { Canvas } from './canvas/canvas.ts'
import { heat, textOn } from './colour.ts'
import type { Typesetter } from './fonts/typesetter.ts'
import { formatCount, formatShare, formatShortShare, formatTime, plural } from './numbers.ts'
import { elide, wrapWithin } from './text.ts'
import { theme } from './theme.ts'
import { waitEdge, waitFill } from './wait-groups.ts'

/** A function's box, or a wait's, ready to be placed and drawn. Points. */
export interface NodeBox {
  readonly width: number
  readonly height: number
  /** In one line, or two. */
  readonly name: readonly string[]
  readonly nameSize: number
  readonly location: string
  readonly own: boolean
  readonly figures: string
  readonly fill: string
  readonly edge: { readonly stroke: string, readonly line: number }
  readonly radius: number
  /** All of it, for a pointer that rests on the box. */
  readonly tooltip: string
  /** The function's frame, which names the box as a place and its row in the table. */
  readonly frame: number
  readonly source: string | undefined
}

const PADDING = { x: 7, y: 5 }
/** A wait's box is round, which takes room at its sides. */
const ROUND = { padding: 12, radius: 15 }
const WIDEST_NAME = 220
const WIDEST_LOCATION = 165
const SMALLEST_NAME = 8
const NAME_GROWTH = 12
/** Statements are longer than names: they get more lines, of smaller letters, so that many of them side by side aren't too wide. */
const WAIT = { largest: 10, lines: 4, widest: 170 }
/** From one line of a name to the next, as a share of its size. */
const NAME_LEADING = 1.12

/** The size of a name by the function's share of self time: 8 points for nothing, 9.2 for 1 %, 11.8 for 10 %, 20 for all. */
export function nameSize (selfShare: number): number {
  return SMALLEST_NAME + NAME_GROWTH * Math.sqrt(Math.min(1, selfShare))
}

export function nodeBox (type: Typesetter, node: GraphNode, label: FrameLabel, source?: string): NodeBox {
  const { wait } = label
  const size = wait === undefined ? nameSize(node.selfShare) : Math.min(WAIT.largest, nameSize(node.selfShare))
  const [widestName, lines] = wait === undefined ? [WIDEST_NAME, 2] : [WAIT.widest, WAIT.lines]
  const name = wrapWithin(label.name, widestName, lines, type.measurer('bold', size))
  const locationFont = label.own ? 'bold' : 'regular'
  // The end has the file and the line.
  const location = elide(label.location, WIDEST_LOCATION, type.measurer(locationFont, theme.text.label), 0.7)
  const figures = figuresOf(node, label)
  const widest = Math.max(...name.map(line => type.measure(line, 'bold', size)), type.measure(location, locationFont, theme.text.label),
    type.measure(figures, 'regular', theme.text.small))
  return {
    width: widest + 2 * (wait === undefined ? PADDING.x : ROUND.padding),
    height: 2 * PADDING.y + size * (1 + NAME_LEADING * (name.length - 1)) + 3 + theme.text.label + 3 + theme.text.small,
    name,
    nameSize: size,
    location,
    own: label.own,
    figures,
    fill: wait === undefined ? heat(node.totalShare) : waitFill(wait.kind, node.totalShare),
    edge: node.critical
      ? { stroke: theme.critical, line: 2.6 }
      : wait === undefined ? { stroke: theme.line.dark, line: 0.5 } : { stroke: waitEdge(wait.kind), line: 1.4 },
    radius: wait === undefined ? 3 : ROUND.radius,
    tooltip: `${label.name}\n${label.versionedLocation}\n${wait === undefined
      ? `total ${formatTime(node.total)} (${formatShare(node.totalShare)}) · self ${formatTime(node.self)} (${formatShare(node.selfShare)})`
      : `waited ${formatTime(node.total)} (${formatShare(node.totalShare)}) · ${plural(wait.count, 'time')}`}`,
    frame: node.frame,
    source
  }
}

function figuresOf ({ total, totalShare, selfShare }: GraphNode, { wait }: FrameLabel): string {
  if (wait === undefined) return `total ${formatShortShare(totalShare)} · self ${formatShortShare(selfShare)}`
  return `waited ${formatShortShare(totalShare)} · ${formatTime(total)} · ${formatCount(wait.count)} ×`
}

/** The name leads to the function's row in the table, the place to its source. */
export function drawNodeBox (canvas: Canvas, box: NodeBox, centre: { x: number, y: number }): void {
  const { width, height, source } = box
  canvas.group({ at: { x: centre.x - width / 2, y: centre.y - height / 2 }, tooltip: box.tooltip }, () => {
    canvas.place(boxPlace(box.frame), -20, -20)
    canvas.box(0, 0, width, height, {
      fill: box.fill, radius: Math.min(box.radius, height / 2), ...box.edge
    })
    const location = nameBottom(box) + 1
    canvas.link({ place: rowPlace(box.frame) }, { x: 0, y: 0, width, height: location }, () => drawName(canvas, box))
    const place = () => drawPlace(canvas, box)
    if (source === undefined) place()
    else canvas.link({ url: source }, { x: 0, y: location, width, height: height - location }, place)
  })
}

/** The place of a function's box, for links. */
export function boxPlace (frame: number): string {
  return `box-${frame}`
}

/** The place of a function's row in the table of the functions. */
export function rowPlace (frame: number): string {
  return `row-${frame}`
}

function nameBottom ({ name, nameSize }: NodeBox): number {
  return PADDING.y + nameSize * (1 + NAME_LEADING * (name.length - 1))
}

// Baselines: letters reach about 0.76 of their size above, and 0.24 below.
function drawName (canvas: Canvas, { name, nameSize, width, fill }: NodeBox): void {
  name.forEach((line, at) => {
    const y = PADDING.y + (0.82 + at * NAME_LEADING) * nameSize
    canvas.text(line, width / 2, y, { font: 'bold', size: nameSize, colour: textOn(fill), align: 'centre' })
  })
}

function drawPlace (canvas: Canvas, box: NodeBox): void {
  const { location, own, figures, width, fill } = box
  const colour = textOn(fill)
  let y = nameBottom(box) + 3 + 0.82 * theme.text.label
  canvas.text(location, width / 2, y, { font: own ? 'bold' : 'regular', size: theme.text.label, colour, align: 'centre' })
  y += 0.18 * theme.text.label + 3 + 0.82 * theme.text.small
  canvas.text(figures, width / 2, y, { size: theme.text.small, colour, align: 'centre' })
}
