import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Frame, Profile } from '@geordi/profile'
import { buildCallGraph, buildNamedCallGraph, CallGraphError, exportCallGraph, exportDot, labelFrame, outsideTimes, type CallGraph, type NamedCallGraphOptions, type TimeView } from '../src/index.ts'
import { naiveTimes } from './naive-times.ts'
import { profileOf } from './profile-builder.ts'
import { randomOf, randomProfile } from './random-profile.ts'
import { withWaits } from './wait-builder.ts'

const ALL = { nodeFraction: 0, edgeFraction: 0, maxNodes: 1000, edgesPerNode: 100 }
const USERS = '(wait) sql select * from users where id = $1 @db/shop'
const PRICE = '(wait) http GET /price @https://api.example'
const WAITS = withWaits(profileOf([
  ['route>load', 40], [`route>load>${USERS}`, 300], ['route>load>parse', 60], [`route>load>${USERS}`, 100], [`route>price>${PRICE}`, 200],
  ['route>render>(garbage collector)', 30], ['(recording)', 10], ['(caller unknown)>late', 20], ['(program)', 5], ['(idle)', 235]
]))

function nodeOf ({ nodes }: CallGraph, { frames }: Profile, name: string) {
  return nodes.find(({ frame }) => frames[frame]?.name === name)
}

function assertWhole (graph: CallGraph): void {
  const { nodes, other, times } = graph
  const sum = [...nodes.map(({ self }) => self), other.self, ...Object.values(outsideTimes(graph))].reduce((sum, time) => sum + time, 0)
  assert.ok(Math.abs(sum - times.total) <= 1e-9 * Math.max(1, times.total), `${sum} of ${times.total}`)
}

describe('a profile with waits', () => {
  test('is shown by the wall time: waits are nodes, and all that is shown sums to it', () => {
    const graph = buildCallGraph(WAITS, ALL)
    assert.equal(graph.options.time, 'wall')
    const { total, busy, wait, idle, gc, program, recording } = graph.times
    assert.deepEqual({ total, busy, wait, idle, gc, program, recording }, { total: 1000, busy: 165, wait: 600, idle: 235, gc: 30, program: 5, recording: 10 })
    assert.deepEqual(outsideTimes(graph), { gc: 30, program: 5, recording: 10, idle: 235 })
    assertWhole(graph)
    const users = nodeOf(graph, WAITS, USERS)
    assert.deepEqual([users?.self, users?.total, users?.totalShare], [400, 400, 0.4])
    const load = nodeOf(graph, WAITS, 'load')!
    assert.deepEqual([load.self, load.total, graph.functions.cpu[load.frame]], [40, 500, 100])
    assert.deepEqual(graph.criticalPath.map(id => WAITS.frames[graph.nodes[id]!.frame]?.name), ['route', 'load', USERS])
    assert.equal(nodeOf(graph, WAITS, '(recording)'), undefined)
  })

  test('can be shown by the CPU time: as without waits', () => {
    const graph = buildCallGraph(WAITS, { ...ALL, time: 'cpu' })
    assert.equal(graph.times.total, 165)
    assertWhole(graph)
    assert.equal(nodeOf(graph, WAITS, USERS), undefined)
    assert.deepEqual([nodeOf(graph, WAITS, 'load')?.total, nodeOf(graph, WAITS, 'price')], [100, undefined])
  })

  test('can be shown by what was waited for', () => {
    const graph = buildCallGraph(WAITS, { ...ALL, time: 'wait' })
    assert.equal(graph.times.total, 600)
    assertWhole(graph)
    assert.deepEqual(outsideTimes(graph), { gc: 0, program: 0, recording: 0, idle: 0 })
    assert.deepEqual([nodeOf(graph, WAITS, 'load')?.self, nodeOf(graph, WAITS, 'load')?.total, nodeOf(graph, WAITS, 'parse')], [0, 400, undefined])
  })

  test('tells how many samples of V8\'s it stands on, not how many stretches there are', () => {
    for (const time of ['cpu', 'wait', 'wall'] as const) {
      const { samples, busySamples } = buildCallGraph(WAITS, { time }).times
      assert.deepEqual([samples, busySamples], [1000, 300])
    }
  })

  test('whatever the tree: each view sums up, CPU and waits together are the wall time, and numbers are those of a walk over the samples', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = randomOf(seed)
      const plain = randomProfile(random)
      const isWait = (at: number) => at >= 4 && at % 3 === 0
      const frames = plain.frames.map((frame, at): Frame => isWait(at) ? { name: `(wait) sql statement ${at} @db`, url: '', line: 0, column: 0 } : frame)
      const profile = withWaits({ ...plain, frames })
      const graphs = (['cpu', 'wait', 'wall'] as const).map(time => buildCallGraph(profile, { ...ALL, time, maxNodes: 1 + Math.floor(random() * 12) }))
      for (const graph of graphs) assertWhole(graph)
      const [cpu, wait, wall] = graphs as [CallGraph, CallGraph, CallGraph]
      const naive = (kept: (frame: number) => boolean) => naiveTimes(only(profile, kept))
      for (const [{ functions, times }, { self, total }] of [
        [cpu, naive(frame => !isWait(frame))], [wait, naive(isWait)], [wall, naive(() => true)]] as const) {
        assert.equal(times.sampled, wall.times.total)
        functions.total.forEach((time, frame) => assert.equal(time, total.get(frame) ?? 0, `tree ${seed}`))
        functions.self.forEach((time, frame) => { if (frame >= 4) assert.equal(time, self.get(frame) ?? 0, `tree ${seed}`) })
      }
      wall.functions.cpu.forEach((time, frame) => assert.equal(time, cpu.functions.total[frame], `tree ${seed}`))
    }
  })

  test('focused on a function has its waits only', async () => {
    const { graph, whole, profile } = await buildNamedCallGraph(WAITS, { ...ALL, sources: false, focus: { function: 'price' } })
    assert.deepEqual([graph.times.total, whole.times.total, graph.times.idle], [200, 1000, 0])
    assert.ok(nodeOf(graph, profile, PRICE) !== undefined && nodeOf(graph, profile, USERS) === undefined)
    const found = await buildNamedCallGraph(WAITS, { ...ALL, sources: false, focus: { function: /from users/ } })
    assert.equal(found.graph.times.total, 400)
  })

  test('of the own code only keeps what that waited for, also through packages', async () => {
    const urls: Record<string, string> = { query: 'file:///app/node_modules/orm/query.js' }
    const through = profileOf([[`route>query>${USERS}`, 50], ['route>query', 7], [`query>${USERS}`, 9], ['(idle)', 3]], { process: { hostname: 'h', pid: 1, node: 'v20', root: '/app' } })
    const frames = through.frames.map(frame => ({ ...frame, url: urls[frame.name] ?? frame.url }))
    const { graph, profile } = await buildNamedCallGraph(withWaits({ ...through, frames }), { ...ALL, sources: false, focus: 'own' })
    assert.deepEqual(graph.nodes.map(({ frame, self, total }) => [profile.frames[frame]?.name, self, total]), [['route', 7, 57], [USERS, 50, 50]])
  })

  test('by file or package has one node for all waits of a kind and target', async () => {
    const several = withWaits(profileOf([[`a>${USERS}`, 1], ['b>(wait) sql select 2 @db/shop', 2], ['b>(wait) sql select 2 @db/other', 4]]))
    for (const granularity of ['file', 'package'] as const) {
      const { graph, profile } = await buildNamedCallGraph(several, { ...ALL, sources: false, granularity })
      const waits = graph.nodes.flatMap(({ frame, total }) => {
        const { name, location, wait } = labelFrame(profile, frame)
        return wait === undefined ? [] : [[name, location, wait.count, total]]
      })
      assert.deepEqual(waits, [['select 2', 'SQL · db/other', 1, 4], ['2 statements', 'SQL · db/shop', 2, 3]])
      assert.equal(graph.times.total, 7)
    }
  })
})

describe('many waits that are examples of the same', () => {
  const alike = (count: number, wait: (at: number) => string) => withWaits(profileOf(Array.from({ length: count }, (_, at) => [`route>load>(wait) ${wait(at)}`, 1])))
  const boxes = async (profile: Profile, options: NamedCallGraphOptions = {}) => {
    const named = await buildNamedCallGraph(profile, { ...ALL, sources: false, ...options })
    assertWhole(named.graph)
    return named.graph.nodes.flatMap(({ frame, total }) => {
      const { name, location, wait } = labelFrame(named.profile, frame)
      return wait === undefined ? [] : [[name, location, wait.count, total]]
    })
  }

  test('are one box, which has the time of all', async () => {
    assert.deepEqual(await boxes(alike(200, at => `http GET /users/${at}/avatar @https://api`)), [['GET api/users/{id}/avatar', 'HTTP', 200, 200]])
    assert.deepEqual(await boxes(alike(200, at => `file readFile @/srv/data/part-${at}.json`)), [['readFile /srv/data/', 'file', 200, 200]])
    assert.deepEqual(await boxes(alike(200, at => `file readFile @/srv/data/part-${at}.json`), { granularity: 'file' }), [['readFile /srv/data/', 'file', 200, 200]])
  })

  test('have a frame whose own name is that of all, for what exports call trees', async () => {
    const { profile } = await buildNamedCallGraph(alike(200, at => `file readFile @/srv/data/part-${at}.json`), { sources: false })
    assert.deepEqual([...new Set(profile.samples.node)].map(node => profile.frames[profile.tree.frame[node] as number]?.name), ['(wait) file readFile /srv/data/'])
  })

  test('are a box each where they are few, and where they have no more than their kind in common', async () => {
    assert.equal((await boxes(alike(9, at => `http GET /users/${at} @https://api`))).length, 9)
    assert.equal((await boxes(alike(30, at => `http GET /users @https://api${at}`))).length, 30)
    assert.equal((await boxes(alike(30, at => `sql select a${at} from t @db`))).length, 30)
  })
})

test('the recording has names for the application\'s functions, also for those that are known of calls only', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'geordi-callgraph-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'app.js'), "app.get('/x', () => query())")
  const url = pathToFileURL(join(folder, 'app.js')).href
  const frames = [...WAITS.frames, { name: '', url, line: 1, column: 15 }]
  const { recording, profile } = await buildNamedCallGraph({ ...WAITS, frames }, ALL)
  assert.equal(recording.frames.at(-1)?.source?.name, "app.get('/x') handler")
  assert.equal(profile.frames.at(-1)?.source?.name, undefined, 'the graph doesn\'t show it')
})

test('a recording that became simpler, and V8\'s own cut of stacks before the merge, are told', async () => {
  const { waits } = WAITS
  const recording = { ...waits!.recording, simplerSince: 2_500_000, cut: { samples: 3, time: 30 } }
  const { notes, cut } = await buildNamedCallGraph({ ...WAITS, waits: { ...waits!, recording } }, { sources: false })
  assert.equal(notes.length, 2)
  assert.match(notes.join(' '), /The stacks of 3 samples were deeper .* after 2\.5 s, callers are only told/)
  assert.equal(cut.samples, 3)
  assert.deepEqual((await buildNamedCallGraph(WAITS, { sources: false })).notes, [])
})

test('what a recorder left out to stay within its budget and its memory is told', async () => {
  const notesOf = async (left: object) => {
    const { waits } = WAITS
    return (await buildNamedCallGraph({ ...WAITS, waits: { ...waits!, recording: { ...waits!.recording, ...left } } }, { sources: false })).notes
  }
  const simple = await notesOf({ simplerSince: 1_500_000, assumed: 12_345 })
  assert.equal(simple.length, 2)
  assert.match(simple[1]!, /^To look where each operation is called .* 12,345 of them are told where/)
  // Who counts has become simpler at the same time, if not before.
  assert.match((await notesOf({ simplerSince: 2_500_000, countsSince: 2_500_000 })).join(), /^There were too many waits to keep each: after 2\.5 s, those for one operation/)
  assert.equal((await notesOf({ simplerSince: 1_500_000, countsSince: 2_500_000 })).length, 2)
})

test('names of waits say what was asked for, and locations of what', () => {
  for (const [frame, name, location] of [
    [USERS, 'select * from users where id = $1', 'SQL · db/shop'],
    [PRICE, 'GET api.example/price', 'HTTP'],
    ['(wait) file readFile @/srv/prices.json', 'readFile /srv/prices.json', 'file'],
    ['(wait) cache get @localhost:6379', 'get', 'cache · localhost:6379'],
    ['(wait) pool free connection @db/shop', 'free connection', 'pool · db/shop'],
    ['(wait) timer setTimeout', 'setTimeout', 'timer'],
    ['(wait) threadpool gzip @zlib', 'gzip', 'thread pool · zlib'],
    ['(caller unknown)', '(caller unknown)', 'it isn\'t known who called these'],
    ['plain', 'plain', 'app/plain.js:2']
  ] as const) {
    const profile = withWaits(profileOf([[frame, 1]]))
    const label = labelFrame(profile, profile.frames.findIndex(({ name }) => name === frame))
    assert.deepEqual([label.name, label.location, label.wait === undefined], [name, location, !frame.startsWith('(wait)')])
  }
})

test('JSON and DOT tell waits, and what they are shares of', async () => {
  const named = await buildNamedCallGraph(WAITS, { ...ALL, sources: false })
  const { nodes, outside, times } = exportCallGraph(named)
  const users = nodes.find(({ wait }) => wait?.kind === 'sql')
  assert.deepEqual([users?.kind, users?.name, users?.wait?.count, users?.cpu], ['wait', 'select * from users where id = $1', 2, 0])
  assert.equal([...nodes.map(({ self }) => self), ...Object.values(outside)].reduce((sum, time) => sum + time, 0), times.total)
  const dot = exportDot(named)
  assert.match(dot, /100 % is the wall time/)
  assert.match(dot, /label="select \* from users where id = \$1\\nSQL · db\/shop\\n40\.0 %, 2 ×", .*style="filled,rounded"/)
  assert.match(dot, /recording the waits: 1\.0 %\\nidle: 23\.5 %/)
})

test('waits can\'t be shown of a profile that has none; the wall time can', () => {
  const profile = profileOf([['a', 3], ['(idle)', 7]])
  const isRefused = (error: unknown) => error instanceof CallGraphError && error.code === 'GEORDI_CALLGRAPH_BAD_OPTION' && error.message.includes('"time"')
  assert.throws(() => buildCallGraph(profile, { time: 'wait' }), isRefused)
  assert.throws(() => buildCallGraph(profile, { time: 'all' as TimeView }), isRefused)
  const graph = buildCallGraph(profile, { time: 'wall' })
  assert.deepEqual([graph.times.total, outsideTimes(graph).idle, graph.nodes[0]?.totalShare], [10, 7, 0.3])
})

function only (profile: Profile, isKept: (frame: number) => boolean): Profile {
  const { node, duration } = profile.samples
  const isKeptAt = (at: number) => isKept(profile.tree.frame[node[at] as number] as number)
  return { ...profile, samples: { node: node.filter((_, at) => isKeptAt(at)), duration: duration.filter((_, at) => isKeptAt(at)) } }
}
