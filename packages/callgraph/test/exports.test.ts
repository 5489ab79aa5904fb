import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { Graphviz } from '@hpcc-js/wasm-graphviz'
import type { Profile } from '@geordi/profile'
import { buildNamedCallGraph, exportCallGraph, exportDot, type NamedCallGraphOptions } from '../src/index.ts'
import { profileOf, type TestSample } from './profile-builder.ts'
import { randomOf, randomProfile } from './random-profile.ts'

const ALL: NamedCallGraphOptions = { nodeFraction: 0, edgeFraction: 0, maxNodes: 1000, edgesPerNode: 100, sources: false }

/** What Graphviz made of a file: its nodes and edges with their labels. */
interface Drawn {
  readonly objects?: ReadonlyArray<{ readonly _gvid: number, readonly name: string, readonly label: string }>
  readonly edges?: ReadonlyArray<{ readonly tail: number, readonly head: number, readonly style?: string }>
}

const HOSTILE = [
  '"', '\\', '\\"', 'ends in a backslash\\', '\\N\\L\\G', '\n', '\0', 'a\0b', '<b>bold</b>', '<', '&eacute; &amp; &#233;', '}{|<port>', 'digraph', '//', '/*', '#',
  '\ud800', '\udc00x', '\u202egnp.exe', '\u2028', '\x1b[31m', '日本語', '🦊👩‍🚀', 'مرحبا', 'e\u0301', 'x'.repeat(10_000), '🦊'.repeat(5000), ' ', '%s%n', '$(id)'
]

describe('DOT', () => {
  let graphviz: Graphviz
  before(async () => { graphviz = await Graphviz.load() })

  const draw = (dot: string): Drawn => JSON.parse(graphviz.layout(dot, 'json', 'dot'))

  async function dotOf (profile: Profile, options: NamedCallGraphOptions = ALL): Promise<string> {
    return exportDot(await buildNamedCallGraph(profile, options))
  }

  test('has the graph\'s nodes and edges, and a box for the rest', async () => {
    const samples: TestSample[] = [['main>a>leaf', 10], ['main>b>leaf', 20], ['main', 1], ['(garbage collector)', 5], ['(program)', 4]]
    const dot = await dotOf(profileOf(samples), { ...ALL, maxNodes: 3 })
    const { objects = [], edges = [] } = draw(dot)
    assert.deepEqual(objects.map(({ name }) => name), ['n0', 'n1', 'n2', 'other'])
    assert.match(dot, /label="other\\n1 function that isn't shown: 0\.0 %\\ngarbage collection: 12\.5 %\\noutside of functions: 10\.0 %"/)
    assert.equal(edges.length, 3)
    assert.match(dot, /label="main\\napp\/main\.js:2\\n2\.5 % of 77\.5 %"/)
    assert.equal(edges.filter(({ style }) => style === 'dashed').length, 1)
  })

  for (const name of HOSTILE) {
    test(`is accepted with the name ${JSON.stringify(name.slice(0, 30))}`, async () => {
      const profile = profileOf([['outer>inner', 10]])
      const frames = profile.frames.map(frame => frame.name === 'inner' ? { ...frame, name } : frame)
      for (const run of [{}, { title: name }, { request: { method: 'GET', url: name } }]) {
        const { objects = [], edges = [] } = draw(await dotOf({ ...profile, frames, run }))
        assert.equal(objects.length, 2)
        assert.equal(edges.length, 1)
      }
    })
  }

  test('shows a name as it is: Graphviz neither decodes nor expands it', async () => {
    const hard = '\\N "quoted" <b>&eacute;</b> \\'
    const profile = profileOf([['outer>inner', 10]])
    const frames = profile.frames.map(frame => frame.name === 'inner' ? { ...frame, name: hard } : frame)
    const svg = graphviz.layout(await dotOf({ ...profile, frames }), 'svg', 'dot')
    const text = Array.from(svg.matchAll(/<text[^>]*>(.*?)<\/text>/g), ([, text]) => unescape(text as string))
    assert.ok(text.includes(hard), text.join('\n'))
  })

  test('of whatever tree is accepted', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomOf(seed)
      const named = await buildNamedCallGraph(randomProfile(random), { ...ALL, maxNodes: 1 + Math.floor(random() * 12) })
      const { objects = [], edges = [] } = draw(exportDot(named))
      assert.equal(objects.filter(({ name }) => name !== 'other').length, named.graph.nodes.length, `tree ${seed}`)
      assert.equal(edges.length, named.graph.edges.length, `tree ${seed}`)
    }
  })
})

describe('JSON', () => {
  test('is the documented shape', async () => {
    const profile = profileOf([['main>a', 10], ['main>b', 20], ['(idle)', 3], ['(program)', 4]], { title: 'it' })
    const file = JSON.parse(JSON.stringify(exportCallGraph(await buildNamedCallGraph(profile, { ...ALL, maxNodes: 2, focus: { function: /main/i }, root: 'main' }))))
    const main = { name: 'main', location: 'app/main.js:2', kind: 'app', url: 'file:///app/main.js', line: 2, column: 1, self: 0, total: 30, cpu: 30 }
    const a = { name: 'a', location: 'app/a.js:3', kind: 'app', url: 'file:///app/a.js', line: 3, column: 1, self: 10, total: 10, cpu: 10 }
    const b = { name: 'b', location: 'app/b.js:4', kind: 'app', url: 'file:///app/b.js', line: 4, column: 1, self: 20, total: 20, cpu: 20 }
    assert.deepEqual(file, {
      format: 'geordi-callgraph',
      version: 1,
      run: { title: 'it' },
      times: { total: 30, sampled: 30, busy: 30, wait: 0, idle: 0, gc: 0, program: 0, recording: 0, busySamples: 2, samples: 2 },
      wholeTimes: { total: 34, sampled: 37, busy: 34, wait: 0, idle: 3, gc: 0, program: 4, recording: 0, busySamples: 3, samples: 4 },
      nodes: [
        { id: 0, ...main, selfShare: 0, totalShare: 1, entry: 30, critical: true },
        { id: 1, ...b, selfShare: 20 / 30, totalShare: 20 / 30, entry: 0, critical: true }
      ],
      edges: [{ from: 0, to: 1, time: 20, share: 20 / 30, residual: false, critical: true }],
      other: { functions: 1, self: 10, edges: 0 },
      outside: { gc: 0, program: 0, recording: 0, idle: 0 },
      tops: { self: [b, a], total: [main, b, a] },
      criticalPath: [0, 1],
      options: { maxNodes: 2, nodeFraction: 0, edgeFraction: 0, edgesPerNode: 100, time: 'cpu' },
      view: { root: 'main', focus: { function: '/main/i' }, granularity: 'function' },
      cutStacks: { samples: 0, time: 0 },
      notes: []
    })
  })
})

function unescape (text: string): string {
  return text.replaceAll('&#160;', ' ').replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&#45;', '-').replaceAll('&amp;', '&')
}
