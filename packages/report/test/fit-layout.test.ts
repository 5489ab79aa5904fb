import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildCallGraph } from '@geordi/callgraph'
import { ReportError } from '../src/errors.ts'
import { fitLayout } from '../src/fit-layout.ts'
import { Typesetter } from '../src/fonts/typesetter.ts'
import type { PlacedGraph, SizedGraph } from '../src/layout/graph.ts'
import { tangledProfile } from './profile-builder.ts'

const profile = tangledProfile(5, 60)
const wanted = buildCallGraph(profile, { maxNodes: 40 })

const type = await Typesetter.for([])

function placed ({ boxes, links }: SizedGraph): PlacedGraph {
  return { width: 1, height: 1, boxes: boxes.map(() => ({ x: 0, y: 0 })), links: links.map(() => ({ curve: [], tip: { x: 0, y: 0 } })) }
}

/** A layout that is in time only for so many boxes, and remembers what it was asked for. */
function slowLayout (boxes: number) {
  const asked: number[] = []
  const layout = async (graph: SizedGraph) => {
    asked.push(graph.boxes.length)
    if (graph.boxes.length > boxes) throw new ReportError('GEORDI_REPORT_LAYOUT_TIMEOUT', 'late')
    return placed(graph)
  }
  return { asked, layout }
}

test('a graph that is laid out in time is drawn as asked, without a note', async () => {
  const { asked, layout } = slowLayout(1000)
  const { graph, drawable, notes } = await fitLayout(type, profile, wanted, layout)
  assert.deepEqual([asked, notes, graph.nodes.length, drawable.boxes.length], [[40], [], 40, 40])
})

test('otherwise one of half the size is tried, and the report says so', async () => {
  const { asked, layout } = slowLayout(10)
  const { graph, drawable, notes } = await fitLayout(type, profile, wanted, layout)
  assert.deepEqual(asked, [40, 20, 10])
  assert.deepEqual([graph.nodes.length, drawable.boxes.length], [10, 10])
  assert.deepEqual(notes, ['Laying out a graph of 40 functions took too long: the 10 that tell the most are drawn.'])
})

test('where nothing can be laid out in time, the report is made without a graph and says so', async () => {
  const { asked, layout } = slowLayout(0)
  const { graph, drawable, notes } = await fitLayout(type, profile, wanted, layout)
  assert.deepEqual(asked, [40, 20, 10, 5])
  assert.deepEqual([drawable.boxes.length, drawable.placed.boxes.length], [0, 0])
  assert.ok(graph.functions.total.length > 0)
  assert.match(notes.join(), /isn't drawn/)
})

test('any other failure is passed on', async () => {
  const broken = async () => { throw new ReportError('GEORDI_REPORT_LAYOUT_FAILED', 'broken') }
  await assert.rejects(fitLayout(type, profile, wanted, broken), { message: 'broken' })
})
