import { buildCallGraph, type CallGraph, labelFrame } from '@geordi/callgraph'
import type { Profile } from '@geordi/profile'
import { edgeLine, type EdgeLine } from './edge-line.ts'
import { ReportError } from './errors.ts'
import type { Typesetter } from './fonts/typesetter.ts'
import type { PlacedGraph, SizedGraph } from './layout/graph.ts'
import { nodeBox, type NodeBox } from './node-box.ts'
import type { LinkToSource } from './source-link.ts'

/** A graph with everything that drawing it takes, in the order of its nodes and edges. */
export interface DrawableGraph {
  readonly placed: PlacedGraph
  readonly boxes: readonly NodeBox[]
  readonly lines: readonly EdgeLine[]
  readonly critical: readonly boolean[]
}

/** A layout that keeps to its time, and what had to be given up for it. */
export interface FittedGraph {
  readonly graph: CallGraph
  readonly drawable: DrawableGraph
  readonly notes: readonly string[]
}

/** Lays out a graph, or fails with `GEORDI_REPORT_LAYOUT_TIMEOUT`. */
export type Layout = (graph: SizedGraph) => Promise<PlacedGraph>

/** Below so many functions, a smaller graph isn't faster to lay out. */
const SMALLEST = 5

/**
 * The graph that is wanted; where it can't be laid out in time one of half as many functions, and so on. Where none can, an
 * empty one: the rest of the report is still worth having.
 */
export async function fitLayout (
  type: Typesetter, profile: Profile, wanted: CallGraph, layout: Layout, source: LinkToSource = () => undefined
): Promise<FittedGraph> {
  let graph = wanted
  for (;;) {
    const { sized, ...parts } = sizesOf(type, profile, graph, source)
    try {
      return { graph, drawable: { ...parts, placed: await layout(sized) }, notes: noteOn(wanted, graph) }
    } catch (error) {
      if (!(error instanceof ReportError) || error.code !== 'GEORDI_REPORT_LAYOUT_TIMEOUT') throw error
    }
    const fewer = Math.floor(graph.nodes.length / 2)
    if (fewer < SMALLEST) break
    graph = buildCallGraph(profile, { ...wanted.options, maxNodes: fewer })
  }
  const note = 'The call graph isn\'t drawn: laying it out took too long, even with few functions. The tables are complete.'
  const placed = { width: 0, height: 0, boxes: [], links: [] }
  return { graph: wanted, drawable: { placed, boxes: [], lines: [], critical: [] }, notes: [note] }
}

function noteOn (wanted: CallGraph, drawn: CallGraph): string[] {
  if (wanted === drawn) return []
  return [`Laying out a graph of ${wanted.nodes.length} functions took too long: the ${drawn.nodes.length} that tell the most are drawn.`]
}

function sizesOf (type: Typesetter, profile: Profile, graph: CallGraph, source: LinkToSource) {
  const boxes = graph.nodes.map(node => {
    const frame = profile.frames[node.frame] as Profile['frames'][number]
    return nodeBox(type, node, labelFrame(profile, node.frame), source(frame))
  })
  const lines = graph.edges.map(edge => edgeLine(type, edge))
  const links = graph.edges.map(({ from, to, share, critical }, id) => {
    const { stroke, arrow, label } = lines[id] as EdgeLine
    return { from, to, stroke, arrow, label, weight: 1 + Math.round(share * 20) + (critical ? 20 : 0) }
  })
  const sized: SizedGraph = { boxes: boxes.map(({ width, height }) => ({ width, height })), links }
  return { sized, boxes, lines, critical: graph.edges.map(({ critical }) => critical) }
}
