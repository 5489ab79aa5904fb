import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createCpuProfiler, importRecording } from '@geordi/profiler'
import type { CapturedRequest } from '@geordi/replay'
import { findCauses, type Finding } from '@geordi/report/findings'
import { fixture, get, startChild } from './support.ts'

/** What is found in the replay of a request, for which nothing but the profile's file is there. */
async function findIn (t: TestContext, request: CapturedRequest): Promise<Finding[]> {
  const child = await startChild(t, fixture('routes.js'), { interval: 1000 })
  await child.prepare(request)
  const { profile } = await child.replay(request)
  return await findCauses(importRecording(profile))
}

function post (url: string, value: unknown): CapturedRequest {
  const body = Buffer.from(JSON.stringify(value))
  return get(url, { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Type', 'application/json', 'Content-Length', String(body.length)] })
}

describe('findings of a replay', { skip: createCpuProfiler().engine !== 'v8-profiler-next' && 'node:inspector can\'t name all regular expressions' }, () => {
  const exploding = `${'jib'.repeat(11)}!`

  it('tell the longest text of the body that a regular expression may have got', async t => {
    const [found] = await findIn(t, post('/api/explode/picard/a/b', { orders: [{ text: 'engage' }], text: exploding }))
    assert.equal(found?.cause, 'regex')
    assert.match(found.evidence.join(), /longest value is "text" of its body with 34 characters/)
    assert.doesNotMatch(JSON.stringify(found), /jibjib/)
  })

  it('tell the longest parameter of the path', async t => {
    const [found] = await findIn(t, post(`/api/explode/${encodeURIComponent(exploding)}/a/b`, { id: 1701 }))
    assert.equal(found?.cause, 'regex')
    assert.match(found.evidence.join(), /longest value is "name" of its path with 34 characters/)
  })
})
