import type { PlacedGraph, PlacedLink, Point, SizedGraph, SizedLink } from './graph.ts'

/** Points an inch: Graphviz takes sizes in inches and gives positions in points. */
const INCH = 72

/** Callees below their callers, or at their right. */
export type Direction = 'down' | 'right'

const GRAPH: Readonly<Record<Direction, string>> = {
  down: 'nodesep=0.22 ranksep=0.26 outputorder=nodesfirst',
  right: 'rankdir=LR nodesep=0.16 ranksep=0.36 outputorder=nodesfirst'
}

/**
 * A graph in DOT: ids and sizes only. No text of the user's ever gets there, for DOT has no way to carry all of it: a NUL is a
 * syntax error, control characters give invalid JSON, and `&eacute;` is decoded.
 */
export function toDot ({ boxes, links }: SizedGraph, direction: Direction): string {
  const spread = direction === 'down' ? staggered(links) : []
  return [
    `digraph { graph [${GRAPH[direction]}] node [shape=box fixedsize=true label=""]`,
    ...boxes.map(({ width, height }, id) => `${id} [width=${inches(width)} height=${inches(height)}]`),
    ...links.map((link, id) => `${link.from} -> ${link.to} [id=${id} weight=${link.weight} minlen=${spread[id] ?? 1} ` +
      `arrowsize=${(link.arrow / 10).toFixed(3)} label=<${reserve(link)}>]`),
    '}'
  ].join('\n')
}

/** An empty table of a fixed size keeps a place free for the label, wide enough for half of the line as well. */
function reserve ({ label, stroke }: SizedLink): string {
  const width = Math.ceil(label.width + stroke / 2 + 3)
  const height = Math.ceil(label.height + 1)
  return `<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE" WIDTH="${width}" HEIGHT="${height}">` +
    '<TR><TD></TD></TR></TABLE>'
}

/** More callees than this which call nothing themselves are put in rows, so that the page doesn't become a ribbon. */
const LEAVES_IN_A_ROW = 5

/** For each link how many ranks it spans at least: what Graphviz's own tool `unflatten` does. */
function staggered (links: readonly SizedLink[]): number[] {
  const callers = new Map<number, number>()
  const calling = new Set<number>()
  for (const { from, to } of links) {
    if (from === to) continue
    callers.set(to, (callers.get(to) ?? 0) + 1)
    calling.add(from)
  }
  const isLeaf = ({ from, to }: SizedLink) => from !== to && callers.get(to) === 1 && !calling.has(to)
  const leaves = new Map<number, number>()
  for (const link of links) if (isLeaf(link)) leaves.set(link.from, (leaves.get(link.from) ?? 0) + 1)
  const seen = new Map<number, number>()
  return links.map(link => {
    const count = leaves.get(link.from) ?? 0
    if (!isLeaf(link) || count <= LEAVES_IN_A_ROW) return 1
    const nth = seen.get(link.from) ?? 0
    seen.set(link.from, nth + 1)
    return 1 + nth % Math.ceil(Math.sqrt(count / 2))
  })
}

function inches (points: number): string {
  return (points / INCH).toFixed(4)
}

/** Graphviz's `json0`, as far as it is used: positions are text. */
interface DotOutput {
  readonly bb: string
  readonly objects?: ReadonlyArray<{ readonly name: string, readonly pos: string }>
  readonly edges?: ReadonlyArray<{ readonly id: string, readonly pos: string, readonly lp: string }>
}

/** Reads `json0`. Its edges are in an order of their own. Labels are still where Graphviz reserved their place. */
export function fromJson (json: string, { boxes, links }: SizedGraph): PlacedGraph {
  const output = JSON.parse(json) as DotOutput
  const [left, bottom, right, top] = output.bb.split(',').map(Number) as [number, number, number, number]
  const point = (text: string): Point => {
    const [x, y] = text.split(',').map(Number) as [number, number]
    return { x: x - left, y: top - y }
  }
  const places = new Map(output.objects?.map(({ name, pos }) => [Number(name), point(pos)]))
  const routes = new Map(output.edges?.map(({ id, pos, lp }) => [Number(id), route(pos, lp, point)]))
  return {
    width: right - left,
    height: top - bottom,
    boxes: boxes.map((_, id) => places.get(id) as Point),
    links: links.map((_, id) => routes.get(id) as PlacedLink)
  }
}

/** `e,tip start control control end …` */
function route (pos: string, lp: string, point: (text: string) => Point): PlacedLink {
  const parts = pos.split(' ')
  const tip = parts[0]?.startsWith('e,') ? point((parts.shift() as string).slice(2)) : undefined
  const curve = parts.map(point)
  return { curve, tip: tip ?? curve.at(-1) as Point, label: { ...point(lp), onLine: false } }
}
