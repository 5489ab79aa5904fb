import type { GraphEdge } from '@geordi/callgraph'
import type { Canvas } from './canvas/canvas.ts'
import { ramp } from './colour.ts'
import type { Typesetter } from './fonts/typesetter.ts'
import type { PlacedLink, Point, SizedBox } from './layout/graph.ts'
import { HEAD } from './layout/labels.ts'
import { formatShortShare } from './numbers.ts'
import { theme } from './theme.ts'

/** How a call is drawn. Points. */
export interface EdgeLine {
  readonly stroke: number
  readonly arrow: number
  readonly colour: string
  readonly dashed: boolean
  readonly text: string
  readonly label: SizedBox
}

export function edgeLine (type: Typesetter, { share, residual, critical }: Pick<GraphEdge, 'share' | 'residual' | 'critical'>): EdgeLine {
  const stroke = (critical ? 1.8 : 0.6) + 3 * Math.min(1, share)
  const text = formatShortShare(share)
  return {
    stroke,
    arrow: 4 + 1.6 * stroke,
    colour: critical ? theme.critical : ramp([theme.line.light, theme.line.dark], Math.sqrt(Math.min(1, share))),
    dashed: residual,
    text,
    label: { width: type.measure(text, 'regular', theme.text.label), height: 0.76 * theme.text.label }
  }
}

export function drawEdgeLine (canvas: Canvas, { stroke, arrow, colour, dashed }: EdgeLine, { curve, tip }: PlacedLink): void {
  canvas.curve(curve, { colour, line: stroke, ...dashed && { dash: [Math.max(3, 1.6 * stroke), Math.max(2, stroke)] } })
  const from = curve.at(-1)
  if (from !== undefined) drawHead(canvas, from, tip, arrow * HEAD, colour)
}

function drawHead (canvas: Canvas, from: Point, tip: Point, half: number, colour: string): void {
  const length = Math.hypot(tip.x - from.x, tip.y - from.y)
  if (length === 0) return
  const x = (tip.x - from.x) / length * half
  const y = (tip.y - from.y) / length * half
  canvas.polygon([tip, { x: from.x - y, y: from.y + x }, { x: from.x + y, y: from.y - x }], colour)
}

/** Draws the share beside its line; on the line where that was the only place, which is interrupted there. */
export function drawEdgeLabel (canvas: Canvas, { text, label }: EdgeLine, { label: place }: PlacedLink): void {
  if (place === undefined) return
  if (place.onLine) {
    canvas.box(place.x - label.width / 2 - 1, place.y - label.height / 2 - 1, label.width + 2, label.height + 2, { fill: theme.paper })
  }
  canvas.text(text, place.x, place.y + label.height / 2, { size: theme.text.label, colour: theme.ink, align: 'centre' })
}
