import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodedMap, TraceMap } from '@jridgewell/trace-mapping'
import type { Profile, Waits } from '../src/index.ts'
import { SourceResolver } from '../src/sources/index.ts'
import { filesOf, profileOf } from './sources-support.ts'

const URL = 'file:///srv/app/dist/a.js'
const DEPENDENCY = 'file:///srv/app/node_modules/pg/index.js'
const CODE = 'function load () {\n  return query()\n}'

/** Line 2 was line 7 before; line 1 was line 5. */
function mapped (): string {
  const map = encodedMap(new TraceMap({ version: 3, names: [], sources: ['../src/a.ts'], mappings: [[[0, 0, 4, 0]], [[2, 0, 6, 4]]] }))
  return `${CODE}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
}

function withSites (sites: Waits['sites']): Profile {
  const none = new Float64Array(0)
  const profile = profileOf([{ name: 'load', url: URL, line: 1, column: 14 }, { name: 'query', url: DEPENDENCY }], { process: { hostname: 'h', pid: 1, node: 'v20.0.0', root: '/srv/app' } })
  const waits: Waits = {
    operations: [],
    sites,
    operation: new Int32Array(0),
    site: new Int32Array(0),
    start: none,
    end: none,
    outcome: new Uint8Array(0),
    rows: none,
    bytes: none,
    same: new Int32Array(0),
    recording: { cost: 0, samples: { all: 0, busy: 0 }, cut: { samples: 0, time: 0 } }
  }
  return { ...profile, waits }
}

const SITES = [{ frame: 0, line: 2, column: 10, parent: -1 }, { frame: 1, line: 2, column: 1, parent: 0 }]

test('a call of the application\'s has the line where it was written, others stay', async () => {
  const located = await new SourceResolver({ readFile: filesOf({ '/srv/app/dist/a.js': mapped() }) }).locate(withSites(SITES))
  assert.deepEqual(located.waits?.sites, [{ ...SITES[0], original: { url: 'file:///srv/app/src/a.ts', line: 7, column: 5 } }, SITES[1]])
  assert.equal(located.frames[0]?.source?.original?.line, 5)
})

test('without a source map, calls are where they are', async () => {
  const profile = withSites(SITES)
  assert.deepEqual((await new SourceResolver({ readFile: filesOf({ '/srv/app/dist/a.js': CODE }) }).locate(profile)).waits, profile.waits)
})
