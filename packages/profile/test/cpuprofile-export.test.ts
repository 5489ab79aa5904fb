import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportCpuProfile, importCpuProfile, type Run } from '../src/index.ts'
import { cpuProfile, frame } from './cpuprofile-builder.ts'

const run: Run = {
  request: { method: 'POST', url: '/x?y=1', capturedAt: 1_700_000_000_000, by: 'picard' },
  response: { statusCode: 500, bytes: 12, contentType: 'text/plain' },
  process: { hostname: 'h', pid: 1, node: 'v20.20.2', app: 'demo@1.0.0', root: '/app' },
  profiler: { engine: 'v8-profiler-next', interval: 1000 },
  wallTime: 70
}

const FILE = {
  ...cpuProfile([
    { id: 10, frame: frame('(root)'), children: [20, 40] },
    { id: 20, frame: frame('a', 'file:///app/a.js', 0, 0), children: [30] },
    { id: 30, frame: frame('', 'node:fs', 5, 7), children: [] },
    { id: 40, frame: frame('(idle)'), children: [] }
  ], [[20, 10], [30, 20.5], [40, 30], [30, 0]]),
  geordi: { version: 1, run }
}

test('a profile that is exported and imported again is the same', () => {
  const profile = importCpuProfile(FILE)
  assert.deepEqual(importCpuProfile(JSON.stringify(exportCpuProfile(profile))), profile)
})

test('the exported file is V8\'s format: from line 0, with hit counts, children and deltas', () => {
  const file = exportCpuProfile(importCpuProfile(FILE))
  assert.deepEqual(file.nodes[1], {
    id: 2,
    callFrame: { functionName: 'a', scriptId: '1', url: 'file:///app/a.js', lineNumber: 0, columnNumber: 0 },
    hitCount: 1,
    children: [3]
  })
  assert.deepEqual(file.nodes[0]?.callFrame, { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 })
  assert.deepEqual(file.nodes.map(({ hitCount }) => hitCount), [0, 1, 2, 1])
  assert.deepEqual(file.samples, [2, 3, 4, 3])
  assert.deepEqual(file.timeDeltas, [10, 20.5, 30, 0])
  assert.equal(file.startTime, 1000)
  assert.equal(file.endTime, 1060.5)
  assert.deepEqual(file.geordi, { version: 1, run })
})

test('what was cut to a window is exported as cut', () => {
  const cut = importCpuProfile({ ...FILE, geordi: { version: 1, run, window: { start: 1005, end: 1020 } } })
  const again = importCpuProfile(exportCpuProfile(cut))
  assert.deepEqual(again, cut)
  assert.deepEqual(Array.from(again.samples.duration), [5, 10])
})
