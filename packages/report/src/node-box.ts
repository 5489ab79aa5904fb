import type { GraphNode } from '@geordi/callgraph'
import type { Canvas } from './canvas.ts'
import { heat, textOn } from './colour.ts'
import type { FunctionLabel } from './names.ts'
import { formatShortShare } from './numbers.ts'
import { elide } from './text.ts'
import { theme } from './theme.ts'

/** A function's box, ready to be placed and drawn. Points. */
export interface NodeBox {
  readonly width: number
  readonly height: number
  readonly name: string
  readonly nameSize: number
  readonly location: string
  readonly own: boolean
  readonly figures: string
  readonly fill: string
  readonly critical: boolean
}

const PADDING = { x: 7, y: 5 }
const WIDEST_NAME = 220
const WIDEST_LOCATION = 165
const SMALLEST_NAME = 8
const NAME_GROWTH = 12

/** The size of a name by the function's share of self time: 8 points for nothing, 9.2 for 1 %, 11.8 for 10 %, 20 for all. */
export function nameSize (selfShare: number): number {
  return SMALLEST_NAME + NAME_GROWTH * Math.sqrt(Math.min(1, selfShare))
}

export function nodeBox (canvas: Canvas, node: GraphNode, label: FunctionLabel): NodeBox {
  const size = nameSize(node.selfShare)
  const name = elide(label.name, WIDEST_NAME, canvas.measurer('bold', size))
  const locationFont = label.own ? 'bold' : 'regular'
  // The end has the file and the line.
  const location = elide(label.location, WIDEST_LOCATION, canvas.measurer(locationFont, theme.text.label), 0.7)
  const figures = `total ${formatShortShare(node.totalShare)} · self ${formatShortShare(node.selfShare)}`
  const widest = Math.max(canvas.measure(name, 'bold', size), canvas.measure(location, locationFont, theme.text.label),
    canvas.measure(figures, 'regular', theme.text.small))
  return {
    width: widest + 2 * PADDING.x,
    height: 2 * PADDING.y + size + 3 + theme.text.label + 3 + theme.text.small,
    name,
    nameSize: size,
    location,
    own: label.own,
    figures,
    fill: heat(node.totalShare),
    critical: node.critical
  }
}

export function drawNodeBox (canvas: Canvas, box: NodeBox, centre: { x: number, y: number }): void {
  const left = centre.x - box.width / 2
  const top = centre.y - box.height / 2
  const colour = textOn(box.fill)
  canvas.box(left, top, box.width, box.height, {
    fill: box.fill, radius: 3, ...box.critical ? { stroke: theme.critical, line: 2 } : { stroke: theme.line.dark, line: 0.5 }
  })
  // Baselines: letters reach about 0.76 of their size above, and 0.24 below.
  let y = top + PADDING.y + 0.82 * box.nameSize
  canvas.text(box.name, centre.x, y, { font: 'bold', size: box.nameSize, colour, align: 'centre' })
  y += 0.18 * box.nameSize + 3 + 0.82 * theme.text.label
  canvas.text(box.location, centre.x, y, { font: box.own ? 'bold' : 'regular', size: theme.text.label, colour, align: 'centre' })
  y += 0.18 * theme.text.label + 3 + 0.82 * theme.text.small
  canvas.text(box.figures, centre.x, y, { size: theme.text.small, colour, align: 'centre' })
}
