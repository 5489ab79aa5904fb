import type { PlacedGraph, PlacedLink, Point, SizedGraph } from './graph.ts'

/** Room between parts that aren't linked to each other, in points. */
const GAP = 28

/** How much wider than high the packed parts should be. */
const ASPECT = 1.3

/** A connected part of a graph, with its boxes' and links' ids in the whole. */
export interface Part {
  readonly graph: SizedGraph
  readonly boxes: readonly number[]
  readonly links: readonly number[]
}

/**
 * The connected parts, in the order of their first boxes. Graphviz's dot puts unconnected parts side by side in one long row, so
 * each is laid out alone.
 */
export function partsOf ({ boxes, links }: SizedGraph): Part[] {
  const leader = boxes.map((_, id) => id)
  const find = (id: number) => {
    while (leader[id] !== id) id = leader[id] = leader[leader[id] as number] as number
    return id
  }
  for (const { from, to } of links) {
    const [a, b] = [find(from), find(to)]
    leader[Math.max(a, b)] = Math.min(a, b)
  }
  const parts = new Map<number, { boxes: number[], links: number[] }>()
  boxes.forEach((_, id) => {
    const part = parts.get(find(id))
    if (part === undefined) parts.set(find(id), { boxes: [id], links: [] })
    else part.boxes.push(id)
  })
  links.forEach(({ from }, id) => parts.get(find(from))?.links.push(id))
  return Array.from(parts.values(), part => {
    const local = new Map(part.boxes.map((id, at) => [id, at]))
    const at = (id: number) => local.get(id) as number
    return {
      ...part,
      graph: {
        boxes: part.boxes.map(id => boxes[id] as typeof boxes[number]),
        links: part.links.map(id => links[id] as typeof links[number]).map(link => ({ ...link, from: at(link.from), to: at(link.to) }))
      }
    }
  })
}

/**
 * Puts laid-out parts together again, in rows of about the same width. The first part, which has the first box, stays the first; the
 * others follow by height, which wastes little room.
 */
export function pack (parts: readonly Part[], placed: readonly PlacedGraph[]): PlacedGraph {
  const area = placed.reduce((sum, { width, height }) => sum + (width + GAP) * (height + GAP), 0)
  const widest = Math.max(0, ...placed.map(({ width }) => width))
  const limit = Math.max(widest, Math.sqrt(area * ASPECT))
  const heightOf = (at: number) => (placed[at] as PlacedGraph).height
  const order = Array.from(placed.keys()).sort((a, b) => Number(b === 0) - Number(a === 0) || heightOf(b) - heightOf(a) || a - b)
  const boxes: Point[] = []
  const links: PlacedLink[] = []
  let x = 0
  let y = 0
  let rowHeight = 0
  let width = 0
  for (const at of order) {
    const part = placed[at] as PlacedGraph
    if (x > 0 && x + part.width > limit) {
      y += rowHeight + GAP
      x = rowHeight = 0
    }
    const offset = { x, y }
    parts[at]?.boxes.forEach((id, local) => { boxes[id] = move(part.boxes[local] as Point, offset) })
    parts[at]?.links.forEach((id, local) => { links[id] = moveLink(part.links[local] as PlacedLink, offset) })
    x += part.width + GAP
    width = Math.max(width, x - GAP)
    rowHeight = Math.max(rowHeight, part.height)
  }
  return { width, height: y + rowHeight, boxes, links }
}

function move ({ x, y }: Point, by: Point): Point {
  return { x: x + by.x, y: y + by.y }
}

function moveLink ({ curve, tip, label }: PlacedLink, by: Point): PlacedLink {
  return { curve: curve.map(point => move(point, by)), tip: move(tip, by), ...label && { label: { ...label, ...move(label, by) } } }
}
