import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { classify, functionName, type Profile, type Run } from '@geordi/profile'
import { buildCallGraph, buildNamedCallGraph, CallGraphError, type CallGraphOptions, type NamedCallGraphOptions, type ViewOptions } from '../src/index.ts'
import { viewProfile } from '../src/view.ts'
import { fillViewOptions } from '../src/view-options.ts'
import { profileOf, type TestSample } from './profile-builder.ts'
import { randomProfile, type Random, randomOf } from './random-profile.ts'

const run: Run = { process: { hostname: 'h', pid: 1, node: 'v20.20.2', app: 'shop', root: '/srv/app' } }

/** Names to places: the first letter says whose they are, what is between it and the colon the file. */
const PLACES: Readonly<Record<string, (file: string) => string>> = {
  m: file => `file:///srv/app/src/${file}.js`,
  d: file => `file:///srv/app/node_modules/${file}/index.js`,
  e: file => `file:///srv/app/node_modules/${file}/lib/other.js`,
  n: file => `node:${file}`,
  x: () => ''
}

/** A profile of functions named `m:name`, `ma:name` (of the file a) and so on. */
function madeOf (samples: readonly TestSample[]): Profile {
  const profile = profileOf(samples, run)
  const frames = profile.frames.map(frame => {
    const place = /^([mdenx])(\w*):/.exec(frame.name)
    return place === null ? frame : { ...frame, url: (PLACES[place[1] as string] as (file: string) => string)(place[2] || 'main') }
  })
  return { ...profile, frames }
}

/** Stacks of a view with their time, added up. */
function stacksOf (profile: Profile): Record<string, number> {
  const stacks: Record<string, number> = {}
  profile.samples.node.forEach((leaf, at) => {
    const names: string[] = []
    for (let node = leaf; node > 0; node = profile.tree.parent[node] as number) {
      names.unshift(functionName(profile.frames[profile.tree.frame[node] as number] as Profile['frames'][number]))
    }
    const key = names.join('>') || '(root)'
    stacks[key] = (stacks[key] ?? 0) + (profile.samples.duration[at] as number)
  })
  return stacks
}

function view (samples: readonly TestSample[], options: ViewOptions): Record<string, number> {
  return stacksOf(viewProfile(madeOf(samples), fillViewOptions(options)))
}

const SAMPLES: readonly TestSample[] = [
  ['n:start>m:main', 1], ['n:start>m:main>da:parse', 2], ['n:start>m:main>da:parse>m:visit', 4], ['n:start>m:main>da:parse>m:visit>x:sort', 8],
  ['n:tick>db:poll', 16], ['n:tick>db:poll>m:main>m:main>da:parse', 32], ['(garbage collector)', 64], ['(idle)', 128], ['(program)', 256], ['(root)', 512]
]

describe('focus', () => {
  test('on a function: the samples in whose stack it is, callers and callees and all', () => {
    assert.deepEqual(view(SAMPLES, { focus: { function: 'm:visit' } }), {
      'n:start>m:main>da:parse>m:visit': 4, 'n:start>m:main>da:parse>m:visit>x:sort': 8
    })
    assert.deepEqual(view(SAMPLES, { focus: { function: /^db:po/g } }), { 'n:tick>db:poll': 16, 'n:tick>db:poll>m:main>m:main>da:parse': 32 })
    const { line } = madeOf(SAMPLES).frames.find(({ name }) => name === 'db:poll') as Profile['frames'][number]
    assert.deepEqual(view(SAMPLES, { focus: { function: `b/index.js:${line}` } }), view(SAMPLES, { focus: { function: 'db:poll' } }))
  })

  test('on a package', () => {
    assert.deepEqual(view(SAMPLES, { focus: { package: 'b' } }), { 'n:tick>db:poll': 16, 'n:tick>db:poll>m:main>m:main>da:parse': 32 })
  })

  test('on my code only: other functions\' time is their nearest caller\'s of mine', () => {
    assert.deepEqual(view(SAMPLES, { focus: 'own' }), { 'm:main': 3, 'm:main>m:visit': 12, 'm:main>m:main': 32 })
  })

  test('what is nowhere is an error that names the option', () => {
    for (const focus of [{ function: 'nobody' }, { package: 'nothing' }, { function: /idle/ }]) {
      assert.throws(() => view(SAMPLES, { focus }), { code: 'GEORDI_CALLGRAPH_EMPTY_VIEW', message: /"focus"/ })
    }
    assert.throws(() => view(SAMPLES, { root: 'nobody' }), { code: 'GEORDI_CALLGRAPH_EMPTY_VIEW', message: /"root" \(nobody\)/ })
    assert.deepEqual(view([], { root: 'nobody' }), {}, 'in a profile without samples nothing can be found')
  })
})

describe('root', () => {
  test('callers are cut away, from the outermost call on', () => {
    assert.deepEqual(view(SAMPLES, { root: 'm:main' }), {
      'm:main': 1, 'm:main>da:parse': 2, 'm:main>da:parse>m:visit': 4, 'm:main>da:parse>m:visit>x:sort': 8, 'm:main>m:main>da:parse': 32
    })
  })

  test('with a focus inside of it', () => {
    assert.deepEqual(view(SAMPLES, { root: 'm:main', focus: { function: 'm:visit' }, granularity: 'package' }), {
      'shop>a>shop': 4, 'shop>a>shop>native code': 8
    })
  })
})

describe('granularity', () => {
  test('files: calls inside of one aren\'t told', () => {
    const samples: TestSample[] = [['ma:f>ma:g>mb:h>ma:f', 1], ['ma:f>dx:i>ex:j', 2], ['ma:g', 4], ['x:sort', 8], ['x:map>x:sort', 16], ['(garbage collector)', 32]]
    assert.deepEqual(view(samples, { granularity: 'file' }), {
      'a.js>b.js>a.js': 1, 'a.js>index.js>other.js': 2, 'a.js': 4, 'native code': 24, '(garbage collector)': 32
    })
  })

  test('packages: the application, Node, native code and each package', () => {
    const samples: TestSample[] = [['n:run>ma:f>mb:g>dx:i>ex:j>n:fs>x:open', 1], ['dy:k>dx:i', 2]]
    assert.deepEqual(view(samples, { granularity: 'package' }), { 'Node.js>shop>x>Node.js>native code': 1, 'y>x': 2 })
    const { frames } = viewProfile(madeOf(samples), fillViewOptions({ granularity: 'package' }))
    assert.deepEqual(frames.map(frame => classify(frame, run)), ['root', 'node', 'app', 'dependency', 'native', 'dependency'])
  })

  test('an application is one package whatever its folder is called', () => {
    const profile = madeOf([['ma:f>mb:g', 1]])
    const frames = profile.frames.map(frame => frame.url === '' ? frame : { ...frame, url: `made-${frame.name}.js` })
    const named = { ...profile, frames, run: { process: { hostname: 'h', pid: 1, node: 'v', root: '/srv/\ud800 #' } } }
    assert.deepEqual(viewProfile(named, fillViewOptions({ granularity: 'package' })).frames.map(({ url }) => url), ['', 'file:///srv/%EF%BF%BD%20%23/'])
  })

  test('two versions of a package are two', () => {
    const profile = madeOf([['dx:a', 1], ['dx:b', 2]])
    const frames = profile.frames.map((frame, at) => ({ ...frame, url: frame.url.replace('node_modules/x', `node_modules/.pnpm/x@${at}.0.0/node_modules/x`) }))
    assert.equal(viewProfile({ ...profile, frames }, fillViewOptions({ granularity: 'package' })).frames.length, 3)
  })
})

describe('a named call graph', () => {
  test('tells the part and the whole', async () => {
    const { graph, whole, view, profile, cut, notes } = await buildNamedCallGraph(madeOf(SAMPLES), { root: 'm:main', nodeFraction: 0 })
    assert.equal(graph.times.busy, 47)
    assert.equal(graph.times.idle, 0)
    assert.equal(whole.times.busy, 1023 - 128)
    assert.deepEqual(view, { root: 'm:main', granularity: 'function' })
    assert.deepEqual(graph.nodes.map(({ frame, total }) => [profile.frames[frame]?.name, total]), [['m:main', 47], ['da:parse', 46], ['m:visit', 12], ['x:sort', 8]])
    assert.deepEqual([cut, notes], [{ samples: 0, time: 0 }, []])
  })

  const wrong: Array<[string, NamedCallGraphOptions]> = [
    ['root', { root: '' }], ['root', { root: 5 as unknown as string }], ['focus', { focus: 'mine' as 'own' }], ['focus', { focus: {} as { package: string } }],
    ['focus', { focus: { package: '' } }], ['focus', { focus: { package: 'a', function: 'b' } }], ['focus', { focus: null as unknown as 'own' }],
    ['granularity', { granularity: 'line' as 'file' }], ['maxNodes', { maxNodes: 0 }], ['nonsense', { nonsense: 1 } as NamedCallGraphOptions]
  ]
  for (const [name, options] of wrong) {
    test(`refuses ${JSON.stringify(options)} by the option's name`, async () => {
      await assert.rejects(buildNamedCallGraph(madeOf(SAMPLES), options), (error: unknown) =>
        error instanceof CallGraphError && error.code === 'GEORDI_CALLGRAPH_BAD_OPTION' && error.message.includes(`"${name}"`))
    })
  }
})

/** The same by looking at each sample's stack alone. Indices of frames, the outermost first; `undefined` for a sample that isn't in the view. */
function naiveView ({ frames, run }: Profile, stack: readonly number[], { root, focus }: ViewOptions): readonly number[] | undefined {
  const isCalled = (name: unknown) => (frame: number) => frames[frame]?.name === name
  let left = stack
  if (root !== undefined) {
    const from = left.findIndex(isCalled(root))
    if (from < 0) return undefined
    left = left.slice(from)
  }
  if (focus === 'own') left = left.filter(frame => classify(frames[frame] as Profile['frames'][number], run) === 'app')
  else if (focus !== undefined && 'function' in focus && !left.some(isCalled(focus.function))) return undefined
  return focus === 'own' && left.length === 0 ? undefined : left
}

/** Any combination of options. */
function pick (random: Random): NamedCallGraphOptions {
  const name = () => `f${Math.floor(random() * 12)}`
  const selection: CallGraphOptions = {
    maxNodes: 1 + Math.floor(random() ** 2 * 30), nodeFraction: random() < 0.5 ? 0 : random() ** 3, edgeFraction: random() ** 3, edgesPerNode: 1 + random() * 2
  }
  const which = Math.floor(random() * 4)
  return {
    ...selection,
    ...random() < 0.3 && { root: name() },
    ...which === 0 ? { focus: 'own' } : which === 1 ? { focus: { function: name() } } : {},
    granularity: random() < 0.6 ? 'function' : random() < 0.5 ? 'file' : 'package',
    sources: false
  }
}

async function checkTree (seed: number): Promise<void> {
  const random = randomOf(seed)
  const profile = randomProfile(random)
  const options = pick(random)
  const { maxNodes, nodeFraction, edgeFraction, edgesPerNode, sources, ...viewOptions } = options
  // The view, sample by sample.
  let kept = 0
  const naive = new Map<string, { self: number, total: number }>()
  const busyOf = new Map<string, number>()
  profile.samples.node.forEach((leaf, at) => {
    const stack: number[] = []
    for (let node = leaf; node > 0; node = profile.tree.parent[node] as number) stack.unshift(profile.tree.frame[node] as number)
    const left = naiveView(profile, stack, viewOptions)
    if (left === undefined) return
    kept++
    const names = left.map(frame => profile.frames[frame]?.name as string)
    const duration = profile.samples.duration[at] as number
    const inner = names.at(-1) ?? '(program)'
    if (inner === '(idle)') return
    busyOf.set(inner, (busyOf.get(inner) ?? 0) + duration)
    for (const name of new Set(names)) {
      const time = naive.get(name) ?? { self: 0, total: 0 }
      naive.set(name, { self: time.self + (name === inner ? duration : 0), total: time.total + duration })
    }
  })
  const building = buildNamedCallGraph(profile, options)
  if (kept === 0 && profile.samples.node.length > 0) {
    await assert.rejects(building, { code: 'GEORDI_CALLGRAPH_EMPTY_VIEW' })
    return
  }
  const { graph, whole, profile: viewed } = await building
  const { nodes, edges, other, times } = graph
  const close = (a: number, b: number, what: string) => assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, whole.times.busy), `${what}: ${a}, not ${b}`)

  const sum = nodes.reduce((sum, { self }) => sum + self, 0) + other.self + times.gc + times.program
  close(sum, times.busy, 'self times, the rest with them')
  close(Array.from(busyOf.values()).reduce((sum, time) => sum + time, 0), times.busy, 'the busy time of the samples in the view')
  close(times.busy + times.idle, times.sampled, 'busy and idle')
  assert.ok(times.busy <= whole.times.busy + 1e-6)
  if (viewOptions.granularity === 'function') {
    for (const { frame, self, total } of nodes) {
      const time = naive.get(viewed.frames[frame]?.name as string)
      close(self, time?.self ?? 0, 'self')
      close(total, time?.total ?? 0, 'total')
    }
  }
  for (const { self, total, entry } of nodes) assert.ok(self <= total + 1e-6 && total <= times.busy + 1e-6 && entry <= total + 1e-6)
  for (const { from, to, time } of edges) {
    assert.ok(time > 0 && time <= (nodes[to]?.total as number) + 1e-6 && time <= (nodes[from]?.total as number) + 1e-6)
  }
  assert.ok(nodes.length <= (maxNodes as number))
  assert.equal(new Set(edges.map(({ from, to }) => `${from} ${to}`)).size, edges.length)
  assert.deepEqual(buildCallGraph(viewed, { ...graph.options }).times, times)
}

test('of whatever tree, whatever is shown: all of the time is there, and each number is that of a walk over the samples', async () => {
  for (let seed = 1; seed <= 500; seed++) {
    await checkTree(seed).catch(cause => { throw new Error(`tree ${seed}: ${(cause as Error).message}`, { cause }) })
  }
})
