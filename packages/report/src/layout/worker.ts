import { Graphviz, type Format } from '@hpcc-js/wasm-graphviz'
import { parentPort } from 'node:worker_threads'
import { fromJson, toDot } from './dot.ts'
import type { SizedGraph } from './graph.ts'
import { placeLabels } from './labels.ts'
import { pack, partsOf } from './pack.ts'
import type { LayoutAnswer, LayoutQuestion } from './thread.ts'

/** The package's types don't list it, though Graphviz has it: positions without the drawing operations, a third of `json`. */
const POSITIONS = 'json0' as Format

// A worker thread's entry file: Graphviz blocks its thread, and only terminating the thread ends it.
const graphviz = await Graphviz.load()

parentPort?.on('message', ({ graph }: LayoutQuestion) => {
  parentPort?.postMessage(answer(graph))
})

function answer (graph: SizedGraph): LayoutAnswer {
  try {
    const parts = partsOf(graph)
    const placed = parts.map(part => fromJson(graphviz.layout(toDot(part.graph), POSITIONS, 'dot'), part.graph))
    return { placed: placeLabels(pack(parts, placed), graph) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}
