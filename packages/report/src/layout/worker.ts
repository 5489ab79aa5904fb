import { Graphviz, type Format } from '@hpcc-js/wasm-graphviz'
import { parentPort } from 'node:worker_threads'
import { type Direction, fromJson, toDot } from './dot.ts'
import type { PlacedGraph, SizedGraph } from './graph.ts'
import { placeLabels } from './labels.ts'
import { pack, partsOf } from './pack.ts'
import type { LayoutAnswer, LayoutQuestion } from './thread.ts'

/** The package's types don't list it, though Graphviz has it: positions without the drawing operations, a third of `json`. */
const POSITIONS = 'json0' as Format

// A worker thread's entry file: Graphviz blocks its thread, and only terminating the thread ends it.
const graphviz = await Graphviz.load()
// V8 compiles each of Graphviz' functions when it's first called: now, while the graph that it's for is still being built.
placeIn(exercise(), 'down')

parentPort?.on('message', ({ graph }: LayoutQuestion) => {
  parentPort?.postMessage(answer(graph))
})

function answer (graph: SizedGraph): LayoutAnswer {
  try {
    const parts = partsOf(graph)
    const placed = parts.map(part => place(part.graph))
    return { placed: placeLabels(pack(parts, placed), graph) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

/** So many times as wide as high, a graph is a ribbon: nobody can look at it as a whole. */
const RIBBON = 2.4

/** Callees below their callers; where that gives a ribbon, at their right, if that is nearer to the form of a page. */
function place (graph: SizedGraph): PlacedGraph {
  const down = placeIn(graph, 'down')
  if (down.width <= RIBBON * down.height) return down
  const right = placeIn(graph, 'right')
  return stretch(right) < stretch(down) ? right : down
}

function placeIn (graph: SizedGraph, direction: Direction): PlacedGraph {
  return fromJson(graphviz.layout(toDot(graph, direction), POSITIONS, 'dot'), graph)
}

/** A tree with some more links, which are what makes a layout take its time. */
function exercise (): SizedGraph {
  const size = { width: 60, height: 30 }
  const boxes = Array.from({ length: 24 }, () => size)
  const link = { stroke: 1, arrow: 6, weight: 1, label: { width: 20, height: 5 } }
  const links = boxes.slice(1).flatMap((_, at) => [{ ...link, from: at >> 1, to: at + 1 }, ...at % 3 === 0 ? [{ ...link, from: at + 1, to: at * 5 % 24 }] : []])
  return { boxes, links }
}

/** How far from a page's form, from 1. */
function stretch ({ width, height }: PlacedGraph): number {
  return Math.max(width / height, height / width)
}
