import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildCallGraph } from '@geordi/callgraph'
import type { Run } from '@geordi/profile'
import { wallTime } from '../src/content.ts'
import { profileOf, type TestSample } from './profile-builder.ts'

const SAMPLES: TestSample[] = [
  [['app'], 10], [['app', 'package'], 20], [['app', 'node:fs'], 40], [['app', '(native)'], 80],
  [['(garbage collector)'], 160], [['(program)'], 320], [['(idle)'], 640]
]

function wallOf (samples: readonly TestSample[], run: Run = {}) {
  const urls: Record<string, string> = { app: 'file:///srv/app/a.js', package: 'file:///srv/app/node_modules/p/p.js', 'node:fs': 'node:fs' }
  const profile = profileOf(samples, run, name => urls[name] as string)
  return wallTime(profile, buildCallGraph(profile))
}

describe('wallTime', () => {
  test('shares the sampled time out', () => {
    const { time, parts } = wallOf(SAMPLES)
    assert.equal(time, 1270)
    assert.deepEqual(parts, [
      { part: 'app', time: 10 }, { part: 'dependency', time: 20 }, { part: 'node', time: 40 }, { part: 'native', time: 80 },
      { part: 'program', time: 320 }, { part: 'gc', time: 160 }, { part: 'idle', time: 640 }
    ])
  })

  test('what was not sampled of the run\'s wall time is a part of its own', () => {
    const { time, parts } = wallOf(SAMPLES, { wallTime: 1300 })
    assert.equal(time, 1300)
    assert.deepEqual(parts.at(-1), { part: 'unsampled', time: 30 })
    assert.equal(parts.reduce((sum, { time }) => sum + time, 0), 1300)
  })

  test('a recording longer than the run is shared out whole', () => {
    const { time, parts } = wallOf(SAMPLES, { wallTime: 1000 })
    assert.equal(time, 1270)
    assert.equal(parts.reduce((sum, { time }) => sum + time, 0), 1270)
  })

  test('of nothing there are no parts', () => {
    assert.deepEqual(wallOf([]), { time: 0, parts: [] })
  })
})
