import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { importCpuProfile, ProfileError, type Profile, type ProfileErrorCode } from '../src/index.ts'
import { cpuProfile, frame, type TestNode } from './cpuprofile-builder.ts'

const TREE: TestNode[] = [
  { id: 1, frame: frame('(root)'), children: [2, 5] },
  { id: 2, frame: frame('a', 'file:///app/a.js', 9, 4), children: [3] },
  { id: 3, frame: frame('b', 'file:///app/a.js', 19, 0), children: [4] },
  { id: 4, frame: frame('a', 'file:///app/a.js', 9, 4) },
  { id: 5, frame: frame('(idle)') }
]

function stackOf (profile: Profile, sample: number): string {
  const names: string[] = []
  for (let node = profile.samples.node[sample] as number; node >= 0; node = profile.tree.parent[node] as number) {
    names.unshift(profile.frames[profile.tree.frame[node] as number]!.name)
  }
  return names.join('>')
}

function rejects (source: string | Uint8Array | object, code: ProfileErrorCode, words: RegExp): void {
  assert.throws(() => importCpuProfile(source), (error: unknown) => {
    assert.ok(error instanceof ProfileError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, words)
    return true
  })
}

describe('importCpuProfile', () => {
  test('counts lines from 1, merges equal frames and keeps contexts apart', () => {
    const profile = importCpuProfile(cpuProfile(TREE, [[3, 10], [4, 20], [5, 30]]))
    assert.deepEqual(profile.frames.map(({ name }) => name), ['(root)', 'a', 'b', '(idle)'])
    assert.deepEqual(profile.frames[1], { name: 'a', url: 'file:///app/a.js', line: 10, column: 5 })
    assert.deepEqual(profile.frames[0], { name: '(root)', url: '', line: 0, column: 0 })
    assert.deepEqual(Array.from(profile.tree.parent), [-1, 0, 1, 2, 0])
    assert.deepEqual([0, 1, 2].map(at => stackOf(profile, at)), ['(root)>a>b', '(root)>a>b>a', '(root)>(idle)'])
    assert.deepEqual(Array.from(profile.samples.duration), [10, 20, 30])
    assert.equal(profile.startTime, 1000)
    assert.deepEqual(profile.run, {})
  })

  test('tells functions of one place and name apart from those of another, whichever way their script is told', () => {
    const places = [
      ['a', '/app/a.js', 9, 4], ['a', 'file:///app/a.js', 9, 4], ['b', 'file:///app/a.js', 9, 4], ['a', 'file:///app/a.js', 9, 5], ['a', 'file:///app/b.js', 9, 4],
      ['b', '/app/a.js', 9, 4], ['a', 'file:///app/a.js', 0, 2 ** 26 + 4], ['a', 'file:///app/a.js', 1, 4], ['x', '/app/\ud800#.js', 1, 1], ['y', ''], ['z', ''], ['y', '']
    ] as const
    const nodes = places.map(([name, url, line, column], at) => ({ id: at + 2, frame: frame(name, url, line, column), parent: 1 }))
    const { frames, tree } = importCpuProfile(cpuProfile([{ id: 1, frame: frame('(root)') }, ...nodes], []))
    assert.deepEqual(Array.from(tree.frame), [0, 1, 1, 2, 3, 4, 2, 5, 6, 7, 8, 9, 8])
    assert.equal(frames[7]?.url, 'file:///app/%EF%BF%BD%23.js', 'a path that no URL can hold as it is')
    assert.ok(frames.every(({ url }) => url === '' || url.startsWith('file:///app/')))
  })

  test('takes text, bytes with a byte order mark, and objects alike', () => {
    const file = cpuProfile(TREE, [[3, 10]])
    const text = JSON.stringify(file)
    assert.deepEqual(importCpuProfile(text), importCpuProfile(file))
    assert.deepEqual(importCpuProfile(new TextEncoder().encode(`\uFEFF${text}`)), importCpuProfile(file))
    assert.deepEqual(importCpuProfile(`\uFEFF${text}`), importCpuProfile(file))
  })

  test('takes parent links instead of children, in any order', () => {
    const file = cpuProfile([
      { id: 7, frame: frame('inner'), parent: 9 },
      { id: 9, frame: frame('outer'), parent: 1 },
      { id: 1, frame: frame('(root)') }
    ], [[7, 5]])
    const profile = importCpuProfile(file)
    assert.equal(stackOf(profile, 0), '(root)>outer>inner')
    profile.tree.parent.forEach((parent, node) => assert.ok(parent < node))
  })

  test('adds a root where the file has several tops', () => {
    const profile = importCpuProfile(cpuProfile([{ id: 1, frame: frame('a') }, { id: 2, frame: frame('b') }], [[2, 5]]))
    assert.equal(stackOf(profile, 0), '(root)>b')
    assert.equal(profile.tree.parent[0], -1)
  })

  test('orders samples by time where V8 wrote a later one first', () => {
    // Times: 10, 40, 30, 50.
    const profile = importCpuProfile(cpuProfile(TREE, [[2, 10], [3, 30], [4, -10], [5, 20]]))
    assert.deepEqual(Array.from(profile.samples.duration), [10, 20, 10, 10])
    assert.deepEqual([0, 1, 2, 3].map(at => stackOf(profile, at)), ['(root)>a', '(root)>a>b>a', '(root)>a>b', '(root)>(idle)'])
  })

  test('clamps a sample before the start', () => {
    const profile = importCpuProfile(cpuProfile(TREE, [[2, -5], [3, 15]]))
    assert.deepEqual(Array.from(profile.samples.duration), [0, 10])
  })

  test('spreads the duration evenly over samples without times', () => {
    const { timeDeltas, ...file } = cpuProfile(TREE, [[2, 30], [3, 10]])
    assert.equal(timeDeltas.length, 2)
    assert.deepEqual(Array.from(importCpuProfile(file).samples.duration), [20, 20])
  })

  test('takes hit counts where there are no samples', () => {
    const { samples, timeDeltas, ...file } = cpuProfile(TREE, [[2, 100], [3, 100], [3, 100], [5, 100]])
    assert.equal(samples.length, timeDeltas.length)
    const profile = importCpuProfile(file)
    assert.deepEqual(Array.from(profile.samples.node), [1, 2, 2, 4])
    assert.deepEqual(Array.from(profile.samples.duration), [100, 100, 100, 100])
  })

  test('takes the nested format from before the DevTools Protocol, in seconds and from line 1', () => {
    const profile = importCpuProfile({
      head: {
        id: 1,
        functionName: '(root)',
        hitCount: 0,
        children: [{ id: 2, functionName: 'a', url: 'http://host/a.js', lineNumber: 3, columnNumber: 2, hitCount: 2, children: [] }]
      },
      startTime: 10,
      endTime: 10.002,
      samples: [2, 2],
      timestamps: [10_000_500, 10_001_500]
    })
    assert.deepEqual(profile.frames[1], { name: 'a', url: 'http://host/a.js', line: 3, column: 2 })
    assert.equal(profile.startTime, 10_000_000)
    assert.deepEqual(Array.from(profile.samples.duration), [500, 1000])
  })

  test('takes what v8-profiler-next writes: lines from 1, numbers as script ids, paths instead of URLs', () => {
    const callFrame = { functionName: 'a', scriptId: 12, url: '/app/my file.js', lineNumber: 3, columnNumber: 2 }
    const file = { typeId: 'CPU', uid: '1', title: 'x', ...cpuProfile([], [[1, 5]]), nodes: [{ id: 1, hitCount: 1, callFrame, children: [] }] }
    assert.deepEqual(importCpuProfile(file).frames[0], { name: 'a', url: 'file:///app/my%20file.js', line: 3, column: 2 })
  })

  test('reads a tree of 100,000 calls deep, nested or linked', () => {
    const depth = 100_000
    const nodes = Array.from({ length: depth }, (_, at): TestNode => ({
      id: at + 1, frame: frame(at === 0 ? '(root)' : `f${at}`), children: at + 1 < depth ? [at + 2] : []
    }))
    assert.equal(importCpuProfile(cpuProfile(nodes, [[depth, 5]])).tree.parent.at(-1), depth - 2)
    let head: object = { id: depth, functionName: 'f', hitCount: 1 }
    for (let id = depth - 1; id > 0; id--) head = { id, functionName: id === 1 ? '(root)' : 'f', hitCount: 0, children: [head] }
    assert.equal(importCpuProfile({ head, startTime: 0, endTime: 1 }).tree.parent.at(-1), depth - 2)
  })

  test('says what is wrong with what is no profile', () => {
    rejects('', 'GEORDI_PROFILE_NOT_JSON', /empty/)
    rejects('{"nodes":[', 'GEORDI_PROFILE_NOT_JSON', /cut off/)
    rejects(Uint8Array.of(0x1f, 0x8b, 8, 0), 'GEORDI_PROFILE_NOT_JSON', /gunzip/)
    rejects('[]', 'GEORDI_PROFILE_NOT_CPUPROFILE', /--cpu-prof/)
    rejects('null', 'GEORDI_PROFILE_NOT_CPUPROFILE', /null/)
    rejects('7', 'GEORDI_PROFILE_NOT_CPUPROFILE', /number/)
    rejects({ traceEvents: [] }, 'GEORDI_PROFILE_NOT_CPUPROFILE', /Performance panel/)
    rejects({ head: { id: 1, selfSize: 3, children: [] } }, 'GEORDI_PROFILE_NOT_CPUPROFILE', /heap profile/)
    rejects({ nodes: ['x'] }, 'GEORDI_PROFILE_NOT_CPUPROFILE', /Node 0/)
  })

  test('says what is wrong with a damaged tree', () => {
    // eslint-disable-next-line no-sparse-arrays
    rejects({ nodes: [, { id: 2 }] }, 'GEORDI_PROFILE_NOT_CPUPROFILE', /Node 0 has no number/)
    const damaged = (...nodes: TestNode[]) => cpuProfile(nodes, [])
    rejects(damaged({ id: 1, frame: frame('(root)') }, { id: 1, frame: frame('a') }), 'GEORDI_PROFILE_BAD_TREE', /id 1/)
    rejects(damaged({ id: 1, frame: frame('(root)'), children: [9] }), 'GEORDI_PROFILE_BAD_TREE', /node 9/)
    rejects(damaged({ id: 1, frame: frame('(root)'), children: [3] }, { id: 2, frame: frame('a'), children: [3] },
      { id: 3, frame: frame('b') }), 'GEORDI_PROFILE_BAD_TREE', /two callers/)
    rejects(damaged({ id: 1, frame: frame('(root)') }, { id: 2, frame: frame('a'), children: [3] },
      { id: 3, frame: frame('b'), children: [2] }), 'GEORDI_PROFILE_BAD_TREE', /circle/)
    rejects(damaged({ id: 1, frame: frame('a'), children: [1] }), 'GEORDI_PROFILE_BAD_TREE', /circle/)
  })

  test('says what is wrong with damaged samples', () => {
    rejects(cpuProfile(TREE, [[99, 5]]), 'GEORDI_PROFILE_BAD_SAMPLES', /node 99/)
    rejects({ ...cpuProfile(TREE, [[2, 5]]), timeDeltas: [] }, 'GEORDI_PROFILE_BAD_SAMPLES', /0 times/)
    rejects({ ...cpuProfile(TREE, [[2, 5]]), timeDeltas: ['5'] }, 'GEORDI_PROFILE_BAD_SAMPLES', /isn't a number/)
    rejects({ nodes: [{ id: 1, hitCount: 1e12, callFrame: frame('a') }] }, 'GEORDI_PROFILE_BAD_SAMPLES', /hits/)
  })
})

describe('the key geordi', () => {
  const samples: Array<[number, number]> = [[2, 10], [3, 10], [4, 10], [5, 10]]
  const withKey = (geordi: unknown) => ({ ...cpuProfile(TREE, samples), geordi })

  test('gives the run; fields of wrong types are left out', () => {
    const { run } = importCpuProfile(withKey({
      version: 1,
      run: {
        title: 'x',
        wallTime: -1,
        request: { method: 'GET', url: '/', by: 7, capturedAt: 5 },
        response: { statusCode: 'ok' },
        process: null,
        profiler: { engine: 'node:inspector', interval: 1000 },
        stranger: 1
      }
    }))
    assert.deepEqual(run, { title: 'x', request: { method: 'GET', url: '/', capturedAt: 5 }, profiler: { engine: 'node:inspector', interval: 1000 } })
  })

  test('cuts the samples to the window, gaps astride an edge at the edge', () => {
    // The gaps are 1000–1010, 1010–1020, 1020–1030, 1030–1040.
    const profile = importCpuProfile(withKey({ version: 1, run: {}, window: { start: 1014, end: 1033 } }))
    assert.deepEqual(Array.from(profile.samples.node), [2, 3, 4])
    assert.deepEqual(Array.from(profile.samples.duration), [6, 10, 3])
    assert.equal(profile.startTime, 1014)
  })

  test('keeps nothing of a window that no sample is in, and everything of a larger one', () => {
    assert.equal(importCpuProfile(withKey({ version: 1, run: {}, window: { start: 5000, end: 6000 } })).samples.node.length, 0)
    const all = importCpuProfile(withKey({ version: 1, run: {}, window: { start: 0, end: 6000 } }))
    assert.deepEqual(Array.from(all.samples.duration), [10, 10, 10, 10])
    assert.equal(all.startTime, 1000)
  })

  test('says what is wrong with it', () => {
    for (const key of [null, 7, 'x', []]) rejects(withKey(key), 'GEORDI_PROFILE_BAD_METADATA', /object/)
    rejects(withKey({ version: 2, run: {} }), 'GEORDI_PROFILE_BAD_METADATA', /version is 2/)
    for (const window of [null, 3, {}, { start: 5, end: 1 }, { start: '1', end: 2 }]) {
      rejects(withKey({ version: 1, run: {}, window }), 'GEORDI_PROFILE_BAD_METADATA', /window/)
    }
    assert.deepEqual(importCpuProfile(withKey({ version: 1, run: 'x' })).run, {})
  })
})
