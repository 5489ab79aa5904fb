import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ReportError } from '../src/index.ts'
import type { PlacedGraph, Point, SizedGraph, SizedLink } from '../src/layout/graph.ts'
import { layoutGraph } from '../src/layout/thread.ts'
import { randomNumbers } from './profile-builder.ts'

const LIMIT = 60_000

function link (from: number, to: number, stroke = 1): SizedLink {
  return { from, to, stroke, arrow: 6, weight: 1, label: { width: 20, height: 5 } }
}

/** A graph like a program's: mostly downwards, some cycles and self-edges, lines of all widths, three unconnected parts. */
function tangled (seed: number, size = 50): SizedGraph {
  const random = randomNumbers(seed)
  const part = (id: number) => Math.floor(id * 3 / size)
  const boxes = Array.from({ length: size }, () => ({ width: 60 + random(140), height: 30 + random(20) }))
  const links = Array.from({ length: size * 2 }, () => link(random(size), random(size), 0.5 + random(5)))
  const unique = new Map(links.filter(({ from, to }) => part(from) === part(to)).map(link => [`${link.from} ${link.to}`, link]))
  return { boxes, links: Array.from(unique.values()) }
}

/** Each box calls two others: below each other, its rows become twice as wide each. */
function tree (size: number): SizedGraph {
  const boxes = Array.from({ length: size }, (_, id) => ({ width: 90 + id % 5 * 20, height: 40 }))
  return { boxes, links: boxes.slice(1).map((_, id) => link(id >> 1, id + 1, 1 + id % 3)) }
}

interface Area { left: number, top: number, right: number, bottom: number }

function around ({ x, y }: Point, { width, height }: { width: number, height: number }): Area {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 }
}

function overlap (a: Area, b: Area): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

/** Points close together on a Bézier chain, by de Casteljau's construction: another way than the code under test takes. */
function pointsOn (curve: readonly Point[]): Point[] {
  const points: Point[] = []
  for (let at = 0; at + 3 < curve.length; at += 3) {
    for (let step = 0; step <= 200; step++) {
      let level = curve.slice(at, at + 4)
      while (level.length > 1) {
        level = level.slice(1).map((point, id) => ({
          x: level[id]!.x + (point.x - level[id]!.x) * step / 200, y: level[id]!.y + (point.y - level[id]!.y) * step / 200
        }))
      }
      points.push(level[0] as Point)
    }
  }
  return points
}

function distance ({ x, y }: Point, { left, top, right, bottom }: Area): number {
  return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom))
}

function labelAreas (graph: SizedGraph, placed: PlacedGraph): Array<{ id: number, onLine: boolean, area: Area }> {
  return placed.links.flatMap(({ label }, id) => {
    return label === undefined ? [] : [{ id, onLine: label.onLine, area: around(label, graph.links[id]!.label) }]
  })
}

describe('layoutGraph', () => {
  for (const [seed, graph] of [[1, tangled(1)], [2, tangled(2)], [3, tangled(3)], ['a tree', tree(63)]] as const) {
    test(`no box lies on another or outside (${seed})`, async () => {
      const placed = await layoutGraph(graph, LIMIT)
      const areas = placed.boxes.map((centre, id) => around(centre, graph.boxes[id]!))
      areas.forEach((area, at) => {
        assert.ok(area.left >= -0.1 && area.top >= -0.1, `box ${at}`)
        assert.ok(area.right <= placed.width + 0.1 && area.bottom <= placed.height + 0.1, `box ${at}`)
        areas.slice(at + 1).forEach((other, next) => assert.ok(!overlap(area, other), `boxes ${at} and ${at + 1 + next}`))
      })
    })

    test(`lines lead from their caller's box to their callee's (${seed})`, async () => {
      const placed = await layoutGraph(graph, LIMIT)
      placed.links.forEach(({ curve, tip }, id) => {
        const { from, to } = graph.links[id]!
        assert.ok(distance(curve[0]!, around(placed.boxes[from]!, graph.boxes[from]!)) < 3, `start of ${id}`)
        assert.ok(distance(tip, around(placed.boxes[to]!, graph.boxes[to]!)) < 3, `tip of ${id}`)
      })
    })

    test(`no label touches a line, a box or another label (${seed})`, async () => {
      const placed = await layoutGraph(graph, LIMIT)
      const labels = labelAreas(graph, placed)
      assert.ok(labels.length > 0.9 * graph.links.length, `${labels.length} of ${graph.links.length} labels have a place`)
      assert.ok(labels.filter(({ onLine }) => onLine).length < 0.2 * labels.length)
      const boxes = placed.boxes.map((centre, id) => around(centre, graph.boxes[id]!))
      const lines = placed.links.map(({ curve }) => pointsOn(curve))
      labels.forEach(({ id, area, onLine }, at) => {
        boxes.forEach((box, other) => assert.ok(!overlap(area, box), `label ${id} and box ${other}`))
        labels.slice(at + 1).forEach(other => assert.ok(!overlap(area, other.area), `labels ${id} and ${other.id}`))
        lines.forEach((points, other) => {
          if (onLine && other === id) return
          const nearest = Math.min(...points.map(point => distance(point, area)))
          assert.ok(nearest > graph.links[other]!.stroke / 2 + 0.5, `label ${id} is ${nearest} from line ${other}, ${graph.links[other]!.stroke} wide`)
        })
      })
    })

    test(`a label is near its own line (${seed})`, async () => {
      const placed = await layoutGraph(graph, LIMIT)
      for (const { id, area } of labelAreas(graph, placed)) {
        const nearest = Math.min(...pointsOn(placed.links[id]!.curve).map(point => distance(point, area)))
        assert.ok(nearest < graph.links[id]!.stroke / 2 + 15, `label ${id} is ${nearest} away`)
      }
    })
  }

  test('unconnected boxes are packed, not put in one long row', async () => {
    const boxes = Array.from({ length: 40 }, () => ({ width: 100, height: 40 }))
    const { width, height } = await layoutGraph({ boxes, links: [] }, LIMIT)
    assert.ok(width < 3 * height, `${width} by ${height}`)
  })

  test('what would be a ribbon runs to the right', async () => {
    const { width, height, boxes } = await layoutGraph(tree(63), LIMIT)
    assert.ok(width < 2.4 * height, `${width} by ${height}`)
    assert.ok(boxes[0]!.x < boxes[1]!.x && boxes[1]!.x < boxes[3]!.x)
  })

  test('many callees of one function are put in several rows', async () => {
    const boxes = Array.from({ length: 61 }, () => ({ width: 100, height: 40 }))
    const links = boxes.slice(1).map((_, at) => link(0, at + 1))
    const { width, height } = await layoutGraph({ boxes, links }, LIMIT)
    assert.ok(width < 0.6 * 60 * 100 && height > 6 * 40, `${width} by ${height}`)
  })

  test('a graph without boxes has no size', async () => {
    assert.deepEqual(await layoutGraph({ boxes: [], links: [] }, LIMIT), { width: 0, height: 0, boxes: [], links: [] })
  })

  test('is given up past its time, and the next one has a fresh thread', async () => {
    const boxes = Array.from({ length: 70 }, () => ({ width: 100, height: 40 }))
    const links = boxes.flatMap((_, from) => boxes.map((_, to) => link(from, to)))
    const late = layoutGraph({ boxes, links }, 200)
    const next = layoutGraph(tangled(4), LIMIT)
    await assert.rejects(late, (error: unknown) => error instanceof ReportError &&
      error.code === 'GEORDI_REPORT_LAYOUT_TIMEOUT' && error.message.includes('200 ms'))
    assert.equal((await next).boxes.length, 50)
  })

  test('fails with a code where Graphviz can\'t', async () => {
    const broken = { boxes: [{ width: 40, height: 40 }], links: [{ ...link(0, 0), weight: ';][' as unknown as number }] }
    await assert.rejects(layoutGraph(broken, LIMIT), { code: 'GEORDI_REPORT_LAYOUT_FAILED' })
    assert.equal((await layoutGraph(tangled(4), LIMIT)).boxes.length, 50)
  })
})

test('a process that made a report ends by itself', async () => {
  const program = `
    import { renderReport } from ${JSON.stringify(new URL('../src/index.js', import.meta.url).href)}
    const profile = {
      frames: [{ name: '(root)', url: '', line: 0, column: 0 }, { name: 'f', url: 'file:///f.js', line: 1, column: 1 }],
      tree: { frame: Int32Array.of(0, 1), parent: Int32Array.of(-1, 0) },
      samples: { node: Int32Array.of(1), duration: Float64Array.of(1000) }, startTime: 0, run: {}
    }
    process.stdout.write(String((await renderReport(profile)).length > 1000))`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
  assert.deepEqual({ stdout, stderr }, { stdout: 'true', stderr: '' })
})
