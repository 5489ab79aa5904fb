import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame, Profile } from '@geordi/profile'
import { mergeWaits } from '@geordi/profiler'
import { CUT, FLAG, LEVEL, OUTCOME, type WaitRecording } from '@geordi/waits/recording'

// A made-up run of 100 ms in which nothing is measured: what the rules say is exactly what must come out.

const APP = 'file:///app/app.js'
const START = 1_000_000
const FRAMES: Frame[] = [
  { name: '(root)', url: '', line: 0, column: 0 },
  { name: '(idle)', url: '', line: 0, column: 0 },
  { name: 'processTicksAndRejections', url: 'node:internal/process/task_queues', line: 60, column: 1 },
  { name: 'load', url: APP, line: 10, column: 20 },
  { name: 'parse', url: APP, line: 20, column: 20 },
  { name: '', url: 'file:///waits/builtins/thread-pool.js', line: 5, column: 5 },
  { name: 'write', url: '', line: 0, column: 0 },
  { name: 'read', url: 'file:///waits/stacks.js', line: 5, column: 5 },
  { name: 'get stack', url: '', line: 0, column: 0 },
  { name: 'writeFileSync', url: 'node:fs', line: 5, column: 5 }
]
const [ROOT, IDLE, TICKS, LOAD, PARSE, WRAPPER, WRITE, READ, GET_STACK, WRITE_FILE] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

interface Marker { readonly at: number, readonly record: number }
interface TestWait { readonly start: number, readonly end: number, readonly record: number, readonly operation?: number, readonly outcome?: number }

/**
 * A sample a millisecond, for each of which is told where it was: 0 idle, 1 `load`, 2 `load` → `parse`, both without their callers;
 * 3 in the recorder's place of a native function that `load` calls, 4 in that function, 5 in what the recorder does itself, by V8 or (6) Node.
 */
function profileOf (samples: readonly number[]): Profile {
  return {
    frames: FRAMES,
    tree: {
      frame: Int32Array.from([ROOT, IDLE, TICKS, LOAD, PARSE, WRAPPER, WRITE, READ, GET_STACK, WRITE_FILE]),
      parent: Int32Array.from([-1, 0, 0, 2, 3, 3, 5, 5, 7, 7])
    },
    samples: { node: Int32Array.from(samples, sample => [1, 3, 4, 5, 6, 8, 9][sample]!), duration: new Float64Array(samples.length).fill(1000) },
    startTime: START,
    run: {}
  }
}

/** The same where `load` and `parse` are a driver's, which reads what comes in. */
function drivenOf (samples: readonly number[]): Profile {
  const profile = profileOf(samples)
  return { ...profile, frames: profile.frames.map(frame => frame.url === APP ? { ...frame, url: 'file:///app/node_modules/driver/index.js' } : frame) }
}

/** Two records: 1 is an `await` in `load`, called by `main`; 2 is one in `save`, called by `main`. */
function recordingOf (markers: readonly Marker[], waits: readonly TestWait[]): WaitRecording {
  const operation = { kind: 'sql', target: 'db', driver: '', sync: false } as const
  return {
    version: 1,
    recorder: { folder: 'file:///waits/', boundary: 'file:///waits/boundary.js' },
    start: START,
    end: START + 100_000,
    functions: [['load', APP, 10, 7], ['main', APP, 1, 7], ['save', APP, 30, 7], ['timer', 'file:///app/node_modules/pool/index.js', 1, 1]],
    places: [[0, 12, 3], [1, 3, 3], [2, 33, 3], [1, 4, 3], [3, 2, 1]],
    stacks: [[0, 1, CUT], [2, 3, CUT], [4, CUT]],
    records: { parent: [-1, 0, 0, 0], stack: [-1, 0, 1, 2], flags: [0, 0, 0, 0] },
    markers: { time: markers.map(({ at }) => START + at * 1000), record: markers.map(({ record }) => record) },
    waits: {
      operations: [{ ...operation, statement: 'first' }, { ...operation, statement: 'second' }, { ...operation, kind: 'timer', statement: 'setTimeout' }],
      operation: waits.map(({ operation = 0 }) => operation),
      record: waits.map(({ record }) => record),
      start: waits.map(({ start }) => START + start * 1000),
      end: waits.map(({ end }) => START + end * 1000),
      outcome: waits.map(({ outcome = OUTCOME.done }) => outcome),
      rows: waits.map(() => null),
      bytes: waits.map(() => null),
      same: waits.map(() => 0)
    },
    cost: { time: 0, captures: 0 }
  }
}

/** Milliseconds by path. */
function timesOf ({ frames, tree, samples }: Profile): Record<string, number> {
  const times: Record<string, number> = {}
  samples.node.forEach((node, at) => {
    const names = []
    for (let above = node; above > 0; above = tree.parent[above]!) names.unshift(frames[tree.frame[above]!]!.name)
    const path = names.join(' > ')
    times[path] = Math.round(((times[path] ?? 0) + samples.duration[at]! / 1000) * 1e6) / 1e6
  })
  return times
}

const idle = (count: number) => new Array<number>(count).fill(0)

test('a continuation is under its callers, and its time is that of the markers, shared by the samples', () => {
  // Ran from 10 to 20.5 ms; of eleven samples in it two are in `parse`.
  const samples = [...idle(10), 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, ...idle(80)]
  const merged = mergeWaits(profileOf(samples), recordingOf([{ at: 9.5, record: 1 }, { at: 20.5, record: 0 }], []))
  assert.deepEqual(timesOf(merged), { '(idle)': 89, 'main > load': 8.8, 'main > load > parse': 2.2 })
})

test('concurrent waits share the moment, and what runs comes first', () => {
  const waits = [{ start: 0, end: 40, record: 1 }, { start: 20, end: 60, record: 2, operation: 1 }]
  const samples = [...idle(50), ...new Array<number>(10).fill(1), ...idle(40)]
  const merged = mergeWaits(profileOf(samples), recordingOf([{ at: 50, record: 1 }, { at: 60, record: 0 }], waits))
  // The first alone 20, both 20, the second alone 10, then 10 of code while it is still open, then nothing.
  assert.deepEqual(timesOf(merged), { 'main > load > (wait) sql first': 30, 'main > save > (wait) sql second': 20, 'main > load': 10, '(idle)': 40 })
})

test('of thousands of different waits at a time some stand for all: what is told of them stays little, and each function has its part', () => {
  const count = 6000
  // All begin at once; a quarter is of `load`, and they end one after the other.
  const waits = Array.from({ length: count }, (_, at) => ({ start: 0, end: 10 + 80 * at / count, record: at % 4 === 0 ? 1 : 2, operation: 3 + at }))
  const base = recordingOf([], waits)
  const files = waits.map((_, at) => ({ kind: 'file', target: `/file/${at}`, statement: 'readFile', driver: 'node:fs', sync: false } as const))
  const merged = mergeWaits(profileOf(idle(100)), { ...base, waits: { ...base.waits, operations: [...base.waits.operations, ...files] } })
  assert.ok(merged.samples.node.length < 2_000_000, `${merged.samples.node.length} stretches`)
  const sums: Record<string, number> = {}
  for (const [path, time] of Object.entries(timesOf(merged))) {
    const [, name = path] = path.split(' > ')
    sums[name] = (sums[name] ?? 0) + time
  }
  const near = (name: string, wanted: number) => assert.ok(Math.abs((sums[name] ?? 0) - wanted) < 0.3, `${name} has ${sums[name]} ms, should have ${wanted}`)
  near('load', 90 / 4)
  near('save', 90 * 3 / 4)
  near('(idle)', 10)
})

test('waits that nobody is known to have started, or that never ended, get time only where there is nothing else', () => {
  const waits = [
    { start: 0, end: 50, record: 1 },
    { start: 0, end: 80, record: 0, operation: 1 },
    { start: 0, end: 100, record: 2, outcome: OUTCOME.open }
  ]
  const merged = mergeWaits(profileOf(idle(100)), recordingOf([], waits))
  assert.deepEqual(timesOf(merged), { 'main > load > (wait) sql first': 50, '(caller unknown) > (wait) sql second': 15, 'main > save > (wait) sql first': 35 })
})

test('an interval gets time only where nothing else is waited for', () => {
  const base = recordingOf([], [{ start: 0, end: 40, record: 1 }, { start: 0, end: 50, record: 2, operation: 3 }, { start: 50, end: 90, record: 2, operation: 3 }])
  const merged = mergeWaits(profileOf(idle(100)), {
    ...base, waits: { ...base.waits, operations: [...base.waits.operations, { kind: 'timer', target: '', statement: 'setInterval', driver: 'node:timers', sync: false }] }
  })
  assert.deepEqual(timesOf(merged), { 'main > load > (wait) sql first': 40, 'main > save > (wait) timer setInterval': 50, '(idle)': 10 })
  assert.deepEqual(merged.waits?.operations.map(({ aside }) => aside === true), [false, false, false, true])
})

test('timers that were cleared are no waits; those of a package that isn\'t known are its waits, where nothing else is waited for and they come to their end', () => {
  const waits = [
    { start: 0, end: 50, record: 3, operation: 2 },
    { start: 40, end: 100, record: 3, operation: 2, outcome: OUTCOME.open },
    { start: 0, end: 90, record: 1, operation: 2, outcome: OUTCOME.discarded },
    { start: 10, end: 30, record: 1, operation: 2 }
  ]
  const merge = (packageName: string) => {
    const base = recordingOf([], waits)
    // Called by `save`, called by `main`.
    return mergeWaits(profileOf(idle(100)), {
      ...base,
      functions: [...base.functions.slice(0, 3), ['timer', `file:///app/node_modules/${packageName}/index.js`, 1, 1]],
      stacks: base.stacks.map((stack, at) => at === 2 ? [4, 2, 3, CUT] : stack)
    })
  }
  const merged = merge('@crew/rate-limiter')
  assert.deepEqual(timesOf(merged), { 'main > save > timer > (wait) timer setTimeout @crew/rate-limiter': 30, 'main > load > (wait) timer setTimeout db': 20, '(idle)': 50 })
  const { operations, operation, sites, site } = merged.waits!
  assert.deepEqual(Array.from(operation, id => operations[id]!.target), ['@crew/rate-limiter', 'db'])
  assert.deepEqual(merged.frames[sites[sites[site[0]!]!.parent]!.frame]?.name, 'save')
  for (const known of ['pg', 'undici', 'fastify']) assert.deepEqual(timesOf(merge(known)), { '(idle)': 80, 'main > load > (wait) timer setTimeout db': 20 }, known)
})

test('each wait tells its call site, and each operation its frame', () => {
  const merged = mergeWaits(profileOf(idle(100)), recordingOf([], [{ start: 10, end: 30, record: 2, operation: 1 }]))
  const { operations, sites, operation, site, start, end } = merged.waits!
  const wait = operations[operation[0]!]!
  assert.deepEqual([wait.kind, wait.statement, merged.frames[wait.frame]?.name], ['sql', 'second', '(wait) sql second'])
  const innermost = sites[site[0]!]!
  assert.deepEqual([merged.frames[innermost.frame]?.name, innermost.line, innermost.column], ['save', 33, 3])
  const outer = sites[innermost.parent]!
  assert.deepEqual([merged.frames[outer.frame]?.name, outer.line, outer.parent], ['main', 4, -1])
  assert.equal(end[0]! - start[0]!, 20_000)
})

test('busy samples where nothing is known to have run go to the wait that ends next, else under a name that says so', () => {
  const samples = [...idle(10), 2, ...idle(39), 2, ...idle(49)]
  const merged = mergeWaits(drivenOf(samples), recordingOf([], [{ start: 0, end: 20, record: 2 }]))
  assert.deepEqual(timesOf(merged), {
    'main > save > (wait) sql first': 19,
    'main > save > load > parse': 1,
    '(idle)': 79,
    '(caller unknown) > load > parse': 1
  })
})

test('the application\'s own code that is not the run\'s was called by nobody who waits, but where continuations are not followed', () => {
  const profile = profileOf([...idle(10), 2, ...idle(89)])
  const recording = recordingOf([], [{ start: 0, end: 20, record: 2 }])
  assert.deepEqual(timesOf(mergeWaits(profile, recording)), { 'main > save > (wait) sql first': 19, '(caller unknown) > load > parse': 1, '(idle)': 80 })
  const simpler = mergeWaits(profile, { ...recording, cost: { ...recording.cost, simplerSince: START } })
  assert.deepEqual(timesOf(simpler), { 'main > save > (wait) sql first': 19, 'main > save > load > parse': 1, '(idle)': 80 })
})

test('what a loop from before the run waits for gets time only where the run waits for nothing', () => {
  const waits = [{ start: 0, end: 100, record: 1, operation: 1 }, { start: 20, end: 60, record: 3 }]
  // The run began with record 2, which has led to 3.
  const recording = { ...recordingOf([], waits), records: { parent: [-1, 0, 0, 2], stack: [-1, 0, -1, 1], flags: [0, 0, FLAG.root, 0] } }
  assert.deepEqual(timesOf(mergeWaits(profileOf(idle(100)), recording)), { 'main > load > (wait) sql second': 60, 'main > save > (wait) sql first': 40 })
})

test('in a queue whose next task the end of the one before calls, each wait is its task\'s', () => {
  // `main` has called `load` and awaits it; when that is done it is called back, calls `load` by the same way and awaits it, and so on.
  const records = { parent: [-1, 0, 1, 1, 3, 3], stack: [-1, 0, 0, 0, 0, 0], flags: [0, FLAG.borrowed + LEVEL, 0, FLAG.borrowed + LEVEL, 0, FLAG.borrowed + LEVEL] }
  const waits = [{ start: 0, end: 40, record: 2 }, { start: 40, end: 100, record: 4 }]
  assert.deepEqual(timesOf(mergeWaits(profileOf(idle(100)), { ...recordingOf([], waits), records })), { 'main > main > load > (wait) sql first': 100 })
})

test('what Node hands over itself is the same each time, but not where the application has come between', () => {
  const base = recordingOf([], [{ start: 0, end: 40, record: 2 }, { start: 40, end: 100, record: 5 }])
  const recording: WaitRecording = {
    ...base,
    functions: [...base.functions.slice(0, 3), ['resume', 'node:internal/streams/readable', 1, 1]],
    stacks: [[0, CUT], [2, CUT], [4, CUT]],
    // `load`, Node twice, `save`, and Node again.
    records: { parent: [-1, 0, 1, 2, 3, 4], stack: [-1, 0, 2, 2, 1, 2], flags: [0, 0, 0, 0, 0, 0] }
  }
  assert.deepEqual(timesOf(mergeWaits(profileOf(idle(100)), recording)), { 'load > (wait) sql first': 40, 'load > resume > save > (wait) sql first': 60 })
})

test('a busy sample in a wait stands for its own time only, however long before it no sample was taken', () => {
  const profile = drivenOf([...idle(10), 2, ...idle(49)])
  // The machine let nobody look for 40 ms.
  profile.samples.duration[10] = 41_000
  const merged = mergeWaits(profile, recordingOf([], [{ start: 10, end: 60, record: 2 }]))
  assert.deepEqual(timesOf(merged), { '(idle)': 50, 'main > save > (wait) sql first': 49, 'main > save > load > parse': 1 })
})

test('in a wait what goes on running between two samples has all the time between them', () => {
  const profile = drivenOf([...idle(10), 2, 2, ...idle(39)])
  profile.samples.duration[11] = 40_000
  const merged = mergeWaits(profile, recordingOf([], [{ start: 0, end: 60, record: 2 }]))
  assert.deepEqual(timesOf(merged), { '(idle)': 30, 'main > save > (wait) sql first': 19, 'main > save > load > parse': 41 })
})

test('the sum is the window even where V8 took no samples', () => {
  const merged = mergeWaits(profileOf(idle(90)), recordingOf([], []), { start: START - 5000, end: START + 100_000 })
  assert.equal(merged.startTime, START - 5000)
  const sum = merged.samples.duration.reduce((sum, time) => sum + time, 0)
  assert.ok(Math.abs(sum - 105_000) < 1e-6, String(sum))
})

test('what Node reads to load a module, and what a driver computes to connect, are no waits; locks and blocks keep theirs', () => {
  const base = recordingOf([], [{ start: 10, end: 20, record: 3, operation: 3 }, { start: 20, end: 30, record: 2, operation: 4 }, { start: 30, end: 90, record: 1 }])
  const operation = { kind: 'file', target: '/app/x.js', statement: 'readFileSync', driver: 'node:fs', sync: true } as const
  const merged = mergeWaits(profileOf(idle(100)), {
    ...base,
    functions: [...base.functions.slice(0, 3), ['timer', 'file:///app/node_modules/pg/lib/sasl.js', 1, 1], ['load', 'node:internal/modules/cjs/loader', 1, 1]],
    places: [...base.places, [4, 5, 5]],
    // The loader, called by `save`.
    stacks: base.stacks.map((stack, at) => at === 1 ? [5, ...stack] : stack),
    waits: { ...base.waits, operations: [...base.waits.operations, { ...operation, kind: 'threadpool', target: 'crypto', driver: 'node:crypto', sync: false }, operation] },
    locks: [{ wait: 2, kind: 'row', time: 50_000, holder: 'somebody' }, { wait: 0, kind: 'other', time: 1, holder: '' }],
    silent: ['db'],
    blocks: [{ start: START, end: START + 60_000 }]
  })
  assert.deepEqual(Array.from(merged.waits!.operation), [0])
  assert.deepEqual(merged.waits?.locks, [{ wait: 0, kind: 'row', time: 50_000, holder: 'somebody' }])
  assert.deepEqual(merged.waits?.silent, ['db'])
  assert.deepEqual(merged.waits?.blocks, [{ start: START, end: START + 60_000 }])
})

test('what the recorder calls in the place of which it stands is its caller\'s; what it does itself is the recorder\'s', () => {
  const markers = [{ at: 0, record: 1 }]
  const samples = [...new Array<number>(50).fill(4), ...new Array<number>(30).fill(3), ...new Array<number>(20).fill(5)]
  const times = timesOf(mergeWaits(profileOf(samples), recordingOf(markers, [])))
  assert.deepEqual(times, { 'main > load > write': 50, '(recording)': 50 })
})

test('what the recorder calls that V8 tells no frame of is its caller\'s', () => {
  const samples = [...new Array<number>(50).fill(4), ...new Array<number>(50).fill(5)]
  const profile = profileOf(samples)
  // In place of the native function.
  const frames = FRAMES.map(frame => frame === FRAMES[WRITE] ? { ...frame, name: 'callNative', url: 'file:///waits/native.js' } : frame)
  assert.deepEqual(timesOf(mergeWaits({ ...profile, frames }, recordingOf([{ at: 0, record: 1 }], []))), { 'main > load': 50, '(recording)': 50 })
})

test('what those do that use the recorder is the recorder\'s and nobody\'s wait, though they interrupt a function for it', () => {
  const base = recordingOf([{ at: 0, record: 1 }], [{ start: 10, end: 20, record: 2, operation: 3 }, { start: 30, end: 40, record: 1, operation: 3 }])
  const url = 'file:///worker/child/recording.js'
  const profile = profileOf([...new Array<number>(80).fill(1), ...new Array<number>(10).fill(5), ...new Array<number>(10).fill(6)])
  // In place of the recorder's own files.
  const frames = FRAMES.map(frame => frame.name === 'read' ? { ...frame, url } : frame)
  const merged = mergeWaits({ ...profile, frames }, {
    ...base,
    recorder: { ...base.recorder, users: ['file:///worker/child/'] },
    functions: [...base.functions, ['keep', url, 9, 9]],
    places: [...base.places, [4, 10, 1]],
    // `save` was interrupted.
    stacks: base.stacks.map((stack, at) => at === 1 ? [5, ...stack] : stack),
    waits: { ...base.waits, operations: [...base.waits.operations, { kind: 'file', target: '/tmp/part.json', statement: 'openSync', driver: 'node:fs', sync: true }] }
  })
  assert.deepEqual(timesOf(merged), { 'main > load': 80, '(recording)': 20 })
  assert.deepEqual(Array.from(merged.waits!.start), [START + 30_000])
})

test('an exchange over a connection is a wait of who asks by a driver that isn\'t known, or by a version of one that isn\'t; of known ones, of HTTP and of nobody it is none', () => {
  const drivers = ['file:///app/node_modules/redis/index.js', 'file:///app/node_modules/postgres/src/connection.js', 'file:///app/node_modules/pg/lib/client.js', 'node:_http_outgoing', 'node:internal/deps/undici/undici', 'file:///app/node_modules/undici/lib/client.js']
  const base = recordingOf([], [{ start: 0, end: 10, record: 0, operation: 3 }, ...drivers.map((_, at) => ({ start: 20 + 10 * at, end: 30 + 10 * at, record: 4 + at, operation: 3 }))])
  const merged = mergeWaits(profileOf(idle(100)), {
    ...base,
    functions: [...base.functions, ...drivers.map((file): [string, string, number, number] => ['read', file, 1, 1])],
    places: [...base.places, ...drivers.map((_, at): [number, number, number] => [4 + at, 1, 1])],
    // Each called by `load`, called by `main`.
    stacks: [...base.stacks, ...drivers.map((_, at) => [5 + at, 0, 3, CUT])],
    records: { parent: [...base.records.parent, ...drivers.map(() => 0)], stack: [...base.records.stack, ...drivers.map((_, at) => 3 + at)], flags: [...base.records.flags, ...drivers.map(() => 0)] },
    waits: { ...base.waits, operations: [...base.waits.operations, { kind: 'network', target: 'db:5432', statement: 'exchange', driver: 'node:net', sync: false }, { kind: 'sql', target: 'db', statement: 'select', driver: 'pg', sync: false }] }
  })
  assert.deepEqual(Array.from(merged.waits!.start, time => time - START), [20_000, 30_000])
})

test('waits that were counted stay so, in the order of their starts; a package\'s own writes to a socket are its own affair', () => {
  const base = recordingOf([], [{ start: 50, end: 90, record: 1 }, { start: 10, end: 30, record: 2 }, { start: 40, end: 41, record: 3, operation: 3 }, { start: 42, end: 43, record: 1, operation: 3 }])
  const merged = mergeWaits(profileOf(idle(100)), {
    ...base,
    waits: {
      ...base.waits,
      operations: [...base.waits.operations, { kind: 'socket', target: '', statement: 'write', driver: 'node:net', sync: true }],
      counted: [{ wait: 0, count: 20, time: 39_000, longest: 3000 }]
    },
    cost: { time: 0, captures: 0, simplerSince: START, countsSince: START }
  })
  const { counts, start, recording } = merged.waits!
  assert.deepEqual(Array.from(start, time => time - START), [10_000, 42_000, 50_000])
  assert.deepEqual([Array.from(counts!.count), Array.from(counts!.time), Array.from(counts!.longest)], [[1, 1, 20], [20_000, 1000, 39_000], [20_000, 1000, 3000]])
  assert.equal(recording.countsSince, START)
})
