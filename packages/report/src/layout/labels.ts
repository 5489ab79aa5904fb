import type { PlacedGraph, PlacedLink, Point, SizedBox, SizedGraph } from './graph.ts'

/** Air between a label and any line or box, in points. */
const CLEARANCE = 1.5

/** How far a box's frame reaches beyond the box. */
const FRAME = 1.3

/** Half of an arrow head's width, as a share of its length. */
export const HEAD = 0.36

/** Into how many straight pieces a Bézier curve is taken apart: an error far below the clearance. */
const PIECES = 10

/** Where along its line a label may go, the middle first. */
const ALONG = [0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86]

/** A label further from its line than this, in points, would seem to be another line's. */
const FURTHEST = 8

/** How far beside its line to try, in points beyond what it takes not to touch. */
const BESIDE = [0, 2, 4]

/** A rectangle by its edges. */
interface Area { left: number, top: number, right: number, bottom: number }

/** A line as straight pieces, with half of its width; bounds of it and of its stretches, so that most need no closer look. */
interface Stroke { points: readonly Point[], half: number, bounds: Area, stretches: readonly Area[] }

/**
 * Moves each label to a place where it touches no line, box or other label: Graphviz reserves places, but lets lines of any
 * width run along them. Where there is none beside its line, it goes onto the line (`onLine`), still clear of all others; where there isn't even
 * that, it has no place and isn't drawn.
 */
export function placeLabels (graph: PlacedGraph, sizes: SizedGraph): PlacedGraph {
  const lines = graph.links.map((link, id) => strokeOf(flatten(link.curve), (sizes.links[id]?.stroke ?? 1) / 2))
  const heads = graph.links.map(({ curve, tip }, id) => strokeOf([curve.at(-1) as Point, tip], (sizes.links[id]?.arrow ?? 0) * HEAD))
  const taken = graph.boxes.map((centre, id) => grown(areaAround(centre, sizes.boxes[id] as SizedBox), FRAME))
  const isFree = (area: Area, own?: Stroke) => area.left >= 0 && area.top >= 0 && area.right <= graph.width && area.bottom <= graph.height &&
    !taken.some(other => overlap(area, other)) &&
    !lines.some(line => line !== own && touches(line, area)) &&
    !heads.some(head => touches(head, area))
  const links = graph.links.map((link, id): PlacedLink => {
    const { curve, tip } = link
    const size = sizes.links[id]?.label as SizedBox
    const own = lines[id] as Stroke
    const fits = (centre: Point, line?: Stroke) => isFree(grown(areaAround(centre, size)), line)
    const beside = first(besideLine(link, own, size), centre => fits(centre))
    const centre = beside ?? onLine(own).find(centre => fits(centre, own))
    if (centre === undefined) return { curve, tip }
    taken.push(areaAround(centre, size))
    return { curve, tip, label: { ...centre, onLine: beside === undefined } }
  })
  return { ...graph, links }
}

function first<T> (items: Iterable<T>, accept: (item: T) => boolean): T | undefined {
  for (const item of items) if (accept(item)) return item
  return undefined
}

/** Candidates, the best first: what Graphviz reserved, and its surroundings, then along the line on both sides. */
function * besideLine ({ label }: PlacedLink, own: Stroke, size: SizedBox): Generator<Point> {
  const shift = own.half + CLEARANCE
  const near = { ...own, half: own.half + FURTHEST }
  if (label !== undefined) {
    for (const dx of [shift, 0, -shift, 2 * shift]) {
      const centre = { x: label.x + dx, y: label.y }
      if (touches(near, areaAround(centre, size))) yield centre
    }
  }
  const places = alongLine(own)
  for (const extra of BESIDE) {
    for (const { point, direction } of places) {
      // Far enough along the normal that the label's nearest corner is clear of a straight line.
      const reach = shift + 0.5 + extra + (Math.abs(direction.y) * size.width + Math.abs(direction.x) * size.height) / 2
      for (const side of [1, -1]) yield { x: point.x + side * reach * direction.y, y: point.y - side * reach * direction.x }
    }
  }
}

function onLine (own: Stroke): Point[] {
  return alongLine(own).map(({ point }) => point)
}

function strokeOf (points: readonly Point[], half: number): Stroke {
  const stretches: Area[] = []
  for (let at = 0; at < points.length - 1; at += PIECES) stretches.push(boundsOf(points.slice(at, at + PIECES + 1)))
  return { points, half, bounds: boundsOf(points), stretches }
}

function boundsOf (points: readonly Point[]): Area {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const { x, y } of points) {
    if (x < bounds.left) bounds.left = x
    if (x > bounds.right) bounds.right = x
    if (y < bounds.top) bounds.top = y
    if (y > bounds.bottom) bounds.bottom = y
  }
  return bounds
}

/** The points of a chain of Bézier curves. */
function flatten (curve: readonly Point[]): Point[] {
  const points = curve.slice(0, 1)
  for (let at = 0; at + 3 < curve.length; at += 3) {
    const [a, b, c, d] = curve.slice(at, at + 4) as [Point, Point, Point, Point]
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES
      const u = 1 - t
      const mix = (key: 'x' | 'y') => u * u * u * a[key] + 3 * u * u * t * b[key] + 3 * u * t * t * c[key] + t * t * t * d[key]
      points.push({ x: mix('x'), y: mix('y') })
    }
  }
  return points
}

/** The places on a line at the shares `ALONG`, with the line's direction there. */
function alongLine ({ points }: Stroke): Array<{ point: Point, direction: Point }> {
  const lengths = points.slice(1).map((point, at) => distance(points[at] as Point, point))
  const whole = lengths.reduce((sum, length) => sum + length, 0)
  return ALONG.map(share => {
    let rest = share * whole
    let at = 0
    while (at < lengths.length - 1 && rest > (lengths[at] as number)) rest -= lengths[at++] as number
    const length = lengths[at] || 1
    const from = points[at] as Point
    const to = points[at + 1] as Point
    const direction = { x: (to.x - from.x) / length, y: (to.y - from.y) / length }
    return { point: { x: from.x + rest * direction.x, y: from.y + rest * direction.y }, direction }
  })
}

function distance (a: Point, b: Point): number {
  return Math.hypot(b.x - a.x, b.y - a.y)
}

function areaAround ({ x, y }: Point, { width, height }: SizedBox): Area {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 }
}

function grown ({ left, top, right, bottom }: Area, by = CLEARANCE): Area {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by }
}

function overlap (a: Area, b: Area): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

function touches ({ points, half, bounds, stretches }: Stroke, area: Area): boolean {
  const wide = grown(area, half)
  if (!reaches(bounds, wide)) return false
  for (let stretch = 0; stretch < stretches.length; stretch++) {
    if (!reaches(stretches[stretch] as Area, wide)) continue
    const end = Math.min(points.length - 1, (stretch + 1) * PIECES)
    for (let at = stretch * PIECES; at < end; at++) {
      if (crosses(points[at] as Point, points[at + 1] as Point, wide)) return true
    }
  }
  return false
}

/** Like `overlap`, for stretches that may be straight and so have no width or height of their own. */
function reaches (a: Area, b: Area): boolean {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom
}

/** Whether a straight piece passes through an area (Liang–Barsky clipping). */
function crosses (from: Point, to: Point, area: Area): boolean {
  const dx = to.x - from.x
  const dy = to.y - from.y
  const [left, right] = span(from.x, dx, area.left, area.right)
  const [top, bottom] = span(from.y, dy, area.top, area.bottom)
  return Math.max(0, left, top) < Math.min(1, right, bottom)
}

/** Between which shares of its way a coordinate is between two limits. */
function span (start: number, change: number, low: number, high: number): readonly [from: number, to: number] {
  if (change === 0) return start > low && start < high ? ALL_THE_WAY : NEVER
  const a = (low - start) / change
  const b = (high - start) / change
  return a < b ? [a, b] : [b, a]
}

const ALL_THE_WAY = [0, 1] as const
const NEVER = [1, 0] as const
