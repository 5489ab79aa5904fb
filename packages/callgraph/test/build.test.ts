import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Profile } from '@geordi/profile'
import { buildCallGraph, type CallGraph, type CallGraphOptions } from '../src/index.ts'
import { profileOf, type TestSample } from './profile-builder.ts'

const ALL: CallGraphOptions = { nodeFraction: 0, edgeFraction: 0, maxNodes: 1000, edgesPerNode: 100 }

function graphOf (samples: readonly TestSample[], options: CallGraphOptions = ALL) {
  const profile = profileOf(samples)
  return { profile, graph: buildCallGraph(profile, options) }
}

/** Nodes as `name self/total`, edges as `from>to time`, `~` for residual. */
function shape ({ profile, graph }: { profile: Profile, graph: CallGraph }) {
  const name = (id: number) => profile.frames[graph.nodes[id]!.frame]!.name
  return {
    nodes: graph.nodes.map(({ self, total }, id) => `${name(id)} ${self}/${total}`).sort(),
    edges: graph.edges.map(({ from, to, time, residual }) => `${name(from)}${residual ? '~' : '>'}${name(to)} ${time}`).sort(),
    path: graph.criticalPath.map(name).join('>')
  }
}

/** The promise of the report: all self times and what is beside the graph make up the whole. */
function assertSums ({ nodes, other, times }: CallGraph): void {
  const sum = nodes.reduce((sum, { self }) => sum + self, 0) + other.self + times.gc + times.program
  assert.ok(Math.abs(sum - times.busy) <= 1e-9 * times.busy, `${sum} of ${times.busy}`)
  assert.ok(Math.abs(times.busy + times.idle - times.sampled) <= 1e-9 * times.sampled)
  const shares = nodes.reduce((sum, { selfShare }) => sum + selfShare, 0)
  if (times.busy > 0) assert.ok(Math.abs(shares + (other.self + times.gc + times.program) / times.busy - 1) < 1e-9)
}

describe('times', () => {
  test('a function called by two callers', () => {
    const made = graphOf([['main>a>leaf', 10], ['main>b>leaf', 20], ['main>b', 5], ['main', 1]])
    assert.deepEqual(shape(made), {
      nodes: ['a 0/10', 'b 5/25', 'leaf 30/30', 'main 1/36'],
      edges: ['a>leaf 10', 'b>leaf 20', 'main>a 10', 'main>b 25'],
      path: 'main>b>leaf'
    })
    assertSums(made.graph)
  })

  test('recursion counts once a sample', () => {
    const made = graphOf([['f', 1], ['f>f', 2], ['f>f>f', 4], ['f>f>f>g', 8]])
    assert.deepEqual(shape(made), { nodes: ['f 7/15', 'g 8/8'], edges: ['f>f 14', 'f>g 8'], path: 'f>g' })
    assertSums(made.graph)
  })

  test('mutual recursion', () => {
    const made = graphOf([['even>odd>even>odd', 8], ['even>odd', 4], ['odd>even', 2]])
    assert.deepEqual(shape(made).nodes, ['even 2/14', 'odd 12/14'])
    assert.deepEqual(shape(made).edges, ['even>odd 12', 'odd>even 10'])
    assertSums(made.graph)
  })

  test('recursion by way of another function', () => {
    const made = graphOf([['walk>each>walk>each>walk>leaf', 3], ['walk>each>walk', 5]])
    assert.deepEqual(shape(made), {
      nodes: ['each 0/8', 'leaf 3/3', 'walk 5/8'],
      edges: ['each>walk 8', 'walk>each 8', 'walk>leaf 3'],
      path: 'walk>each'
    })
  })

  test('the root is no node, V8\'s markers are numbers, and idle time is no share', () => {
    const made = graphOf([['f', 30], ['(garbage collector)', 10], ['(program)', 6], ['(root)', 4], ['(idle)', 50], ['(idle)', 100]])
    assert.deepEqual(shape(made).nodes, ['f 30/30'])
    assert.deepEqual(made.graph.times, { total: 50, sampled: 200, busy: 50, wait: 0, idle: 150, gc: 10, program: 10, recording: 0, busySamples: 4, samples: 6 })
    assert.equal(made.graph.nodes[0]?.selfShare, 0.6)
    assertSums(made.graph)
  })

  test('an empty profile and one that only waited give an empty graph', () => {
    for (const samples of [[], [['(idle)', 70]]] as TestSample[][]) {
      const { graph } = graphOf(samples)
      assert.deepEqual([graph.nodes, graph.edges, graph.criticalPath], [[], [], []])
      assert.equal(graph.times.busy, 0)
      assert.equal(graph.times.idle, samples.length * 70)
      assert.deepEqual(graph.other, { functions: 0, self: 0, edges: 0 })
    }
  })

  test('a tree of 100,000 calls deep', () => {
    const depth = 100_000
    const names = ['(root)', 'f', 'g', 'h']
    const profile: Profile = {
      frames: names.map(name => ({ name, url: name === '(root)' ? '' : `file:///${name}.js`, line: 1, column: 1 })),
      tree: {
        frame: Int32Array.from({ length: depth }, (_, at) => at === 0 ? 0 : 1 + at % 3),
        parent: Int32Array.from({ length: depth }, (_, at) => at - 1)
      },
      samples: { node: Int32Array.of(depth - 1, 5), duration: Float64Array.of(100, 1) },
      startTime: 0,
      run: {}
    }
    const { nodes, edges } = buildCallGraph(profile)
    assert.deepEqual(nodes.map(({ total }) => total), [101, 101, 101])
    assert.deepEqual(edges.map(({ time }) => time).sort(), [101, 101, 101])
  })
})

describe('selection', () => {
  const many = Array.from({ length: 200 }, (_, at): TestSample => [`main>group${at % 10}>leaf${at}`, 1 + at])

  test('shows at most maxNodes functions, and the sums stay whole', () => {
    for (const maxNodes of [1, 7, 50]) {
      const { graph } = graphOf(many, { ...ALL, maxNodes })
      assert.equal(graph.nodes.length, maxNodes)
      assert.equal(graph.other.functions, 211 - maxNodes)
      assert.ok(graph.other.self > 0)
      assertSums(graph)
    }
  })

  test('leaves out what is below nodeFraction', () => {
    const { profile, graph } = graphOf([['big', 990], ['small', 10]], { nodeFraction: 0.02 })
    assert.deepEqual(graph.nodes.map(({ frame }) => profile.frames[frame]?.name), ['big'])
    assert.deepEqual(graph.other, { functions: 1, self: 10, edges: 0 })
  })

  test('prefers functions in which time spreads to mere links of a chain', () => {
    const chain: TestSample[] = [['a>b>c>d>hub>x', 10], ['a>b>c>d>hub>y', 10], ['a>b>c>d>hub>z', 10]]
    const names = shape(graphOf(chain, { ...ALL, maxNodes: 5 })).nodes.map(text => text.split(' ')[0])
    assert.ok(names.includes('hub'), names.join())
    assert.ok(!names.includes('b') && !names.includes('c'), names.join())
  })

  test('sees through what isn\'t shown: residual edges lead to the nearest function that is', () => {
    const made = graphOf([['hub>link1>x', 30], ['hub>link2>y', 30], ['hub>z', 40], ['hub>link3>z', 1]], { ...ALL, maxNodes: 4 })
    const { nodes, edges } = shape(made)
    assert.deepEqual(nodes, ['hub 0/101', 'x 30/30', 'y 30/30', 'z 41/41'])
    assert.deepEqual(edges, ['hub>z 41', 'hub~x 30', 'hub~y 30'])
    assertSums(made.graph)
  })

  test('recursion through a function that isn\'t shown is a residual edge to itself, once a sample', () => {
    const made = graphOf([['f>t1>f>t2>f', 10], ['f', 10]], { ...ALL, maxNodes: 1 })
    assert.deepEqual(shape(made), { nodes: ['f 20/20'], edges: ['f~f 10'], path: 'f' })
  })

  test('keeps the heaviest caller of every function, and at most 1.8 edges each', () => {
    const dense: TestSample[] = []
    for (let from = 0; from < 20; from++) for (let to = 0; to < 20; to++) dense.push([`main>f${from}>g${to}`, 1 + (from * 7 + to * 13) % 17])
    const { graph } = graphOf(dense, { ...ALL, edgesPerNode: 1.8 })
    assert.equal(graph.nodes.length, 41)
    assert.equal(graph.edges.length, Math.floor(1.8 * 41))
    assert.equal(graph.other.edges, 420 - graph.edges.length)
    const complete = graphOf(dense).graph
    graph.nodes.forEach((_, to) => {
      const heaviest = Math.max(0, ...complete.edges.filter(edge => edge.to === to).map(({ time }) => time))
      if (heaviest > 0) assert.ok(graph.edges.some(edge => edge.to === to && edge.time === heaviest), `node ${to}`)
    })
  })

  test('a cycle whose functions are each other\'s heaviest callers is still reached from the entry', () => {
    const made = graphOf([['main>a>b>a>b>a>b', 50], ['main>b>a>b>a', 45], ['main>x', 300]], { ...ALL, edgesPerNode: 1 })
    const { edges } = shape(made)
    assert.ok(edges.includes('a>b 95') && edges.includes('b>a 95'), edges.join())
    assert.ok(edges.includes('main>a 50'), edges.join())
  })

  test('the same work gives the same graph, whatever the order of the tree', () => {
    const forth = graphOf(many, { maxNodes: 30 })
    const back = graphOf(many.toReversed(), { maxNodes: 30 })
    assert.deepEqual(shape(forth), shape(back))
  })
})

describe('critical path', () => {
  test('goes by the time of the very chain, not of merged edges', () => {
    // Merged, work>slow weighs 60 and would follow whichever way; but via `right` the time goes to quick.
    const made = graphOf([['main>left>work>slow', 60], ['main>right>work>quick', 100], ['main>left>other', 20]])
    assert.equal(shape(made).path, 'main>right>work>quick')
    const { nodes, edges } = made.graph
    assert.deepEqual(edges.filter(({ critical }) => critical).length, 3)
    assert.deepEqual(nodes.filter(({ critical }) => critical).length, 4)
  })

  test('ends where a function spends more itself', () => {
    assert.equal(shape(graphOf([['main>work', 60], ['main>work>part', 30]])).path, 'main>work')
  })

  test('its edges are kept though they are light', () => {
    const made = graphOf([['main>a>b', 100], ['x>b', 900], ['x>c', 10]], { ...ALL, edgesPerNode: 1 })
    const critical = made.graph.edges.filter(edge => edge.critical)
    assert.equal(critical.length, made.graph.criticalPath.length - 1)
    assert.ok(critical.length > 0)
  })
})

test('functions of one bundle are told apart by where they were written', () => {
  const profile = profileOf([['main>lib', 10]])
  const original = { url: 'file:///srv/app/node_modules/lib/i.js', line: 1, column: 1 }
  const frames = profile.frames.map(frame => ({
    ...frame, ...frame.url !== '' && { url: 'file:///srv/app/bundle.js' }, ...frame.name === 'lib' && { source: { original } }
  }))
  const { kind } = buildCallGraph({ ...profile, frames }).functions
  assert.deepEqual(frames.map(({ name }, at) => [name, kind[at]]), [['(root)', 'root'], ['main', 'app'], ['lib', 'dependency']])
})
