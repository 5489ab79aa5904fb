import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { createCpuProfiler, importRecording } from '@geordi/profiler'
import type { CapturedRequest } from '@geordi/replay'
import { findCauses, type Finding } from '@geordi/report/findings'
import { fixture, get, startChild } from './support.ts'

/** What is found in the replay of a request, for which nothing but the profile's file is there. */
async function findIn (t: TestContext, request: CapturedRequest, app = 'routes.js'): Promise<Finding[]> {
  const child = await startChild(t, fixture(app), { interval: 1000 })
  await child.prepare(request)
  const { profile } = await child.replay(request)
  return await findCauses(importRecording(profile))
}

function post (url: string, value: unknown): CapturedRequest {
  const body = Buffer.from(JSON.stringify(value))
  return get(url, { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Type', 'application/json', 'Content-Length', String(body.length)] })
}

/** `routes.js:22`, by a text of that line. */
async function placeOf (text: string, app = 'routes.js'): Promise<string> {
  return `${app}:${(await readFile(fixture(app), 'utf8')).split('\n').findIndex(line => line.includes(text)) + 1}`
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

describe('a large answer that Fastify makes text of', () => {
  const places = (found: Finding[]) => [...new Set(found.map(({ places }) => places[0]?.location))]

  it('is told at the handler, else where its route is, not in Fastify or at a hook before; and at the function that asked Fastify to where there is one', async t => {
    for (const [url, place] of [['/api/large', "app.get('/large',"], ['/api/large/elsewhere', 'async function listAll'], ['/api/large/at-once', "app.get('/large/at-once'"], ['/api/large/sent', 'function sendLarge']] as const) {
      const found = await findIn(t, get(url))
      // By what it costs: on a busy machine the thread's being blocked may cost more than the making of the text.
      assert.deepEqual(places(found), [await placeOf(place)], JSON.stringify(found))
      assert.equal(/Fastify itself does it for (?:this handler, that|the handler) of GET/.test(JSON.stringify(found)), !url.endsWith('/sent'))
    }
  })

  it('is told there whatever it costs: garbage, say', async t => {
    const found = await findIn(t, get('/api/large/with-schema'))
    assert.deepEqual(places(found), [await placeOf("app.get('/large/with-schema'")], JSON.stringify(found))
  })
})

it('much work for the thread pool in a loop is told where that is', async t => {
  const [found] = await findIn(t, get('/api/hashes'))
  assert.equal(found?.title, 'The same work for the thread pool 120 times, one by one')
  assert.equal(found.places[0]?.location, await placeOf('await hash('))
})

it('TypeScript that is built while it is loaded has its own lines, which no file tells', async t => {
  for (const app of ['built.ts', 'built.cts']) {
    const [found] = await findIn(t, get('/'), app)
    assert.equal(found?.cause, 'sync-io')
    assert.deepEqual(found.places.map(({ location }) => location), [await placeOf('readFileSync(', app), await placeOf('JSON.stringify(', app)])
  }
})
