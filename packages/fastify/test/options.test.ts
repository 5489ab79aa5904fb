import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Fastify from 'fastify'
import { geordi, type GeordiOptions } from '@geordi/fastify'
import { ask, queue, queueServer, SECRET, start, take, until } from './support.ts'

const server = await queueServer()
const isAdmin = () => true

describe('options', () => {
  const good = { isAdmin, secret: SECRET, queue: { url: server.url } }
  const wrong: Array<[name: string, options: object]> = [
    ['isAdmin', { ...good, isAdmin: undefined }],
    ['isAdmin', { ...good, isAdmin: true }],
    ['secret', { ...good, secret: undefined }],
    ['secret', { ...good, secret: 'x'.repeat(31) }],
    ['secret', { ...good, secret: [] }],
    ['secret', { ...good, secret: [SECRET, 'short'] }],
    ['queue', { ...good, queue: undefined }],
    ['queue', { ...good, queue: server.url }],
    ['queue.url', { ...good, queue: {} }],
    ['queue.url', { ...good, queue: { url: 'localhost:6379' } }],
    ['queue.url', { ...good, queue: { url: 'http://localhost' } }],
    ['queue.name', { ...good, queue: { url: server.url, name: 'No Name' } }],
    ['queue.timeout', { ...good, queue: { url: server.url, timeout: 0.5 } }],
    ['queue.prefix', { ...good, queue: { url: server.url, prefix: 'x' } }],
    ['identify', { ...good, identify: 'picard' }],
    ['capture', { ...good, capture: {} }],
    ['restore', { ...good, restore: null }],
    ['prefix', { ...good, prefix: '' }],
    ['prefix', { ...good, prefix: 'profiles' }],
    ['prefix', { ...good, prefix: '/' }],
    ['prefix', { ...good, prefix: '/profiles/' }],
    ['prefix', { ...good, prefix: '/:id' }],
    ['prefix', { ...good, prefix: '/a b' }],
    ['prefix', { ...good, prefix: '/a/../b' }],
    ['parameter', { ...good, parameter: '' }],
    ['parameter', { ...good, parameter: 'a=b' }],
    ['parameter', { ...good, parameter: 'a&b' }],
    ['bodyLimit', { ...good, bodyLimit: 0 }],
    ['bodyLimit', { ...good, bodyLimit: '1mb' }],
    ['bodyLimit', { ...good, bodyLimit: 1.5 }],
    ['bodyLimit', { ...good, bodyLimit: NaN }],
    ['maxOpenPerAdmin', { ...good, maxOpenPerAdmin: Infinity }],
    ['maxQueued', { ...good, maxQueued: '20' }],
    ['retention', { ...good, retention: 0 }],
    ['retention', { ...good, retention: '1d' }],
    ['maxQueueTime', { ...good, maxQueueTime: 0 }],
    ['retentionCount', { ...good, retentionCount: -1 }],
    ['retentionBytes', { ...good, retentionBytes: '1gb' }],
    ['maxOpenPerAdmin', { ...good, maxOpenPerAdmin: 0 }],
    ['maxQueued', { ...good, maxQueued: 0.5 }],
    ['hide', { ...good, hide: 'pass' }],
    ['hide', { ...good, hide: ['pass', 7] }],
    ['hide', { ...good, hide: ['--'] }],
    ['audit', { ...good, audit: true }],
    ['isadmin', { ...good, isadmin: () => true }],
    ['toString', { ...good, toString: () => '' }]
  ]
  for (const [name, options] of wrong) {
    it(`refuses ${name}: ${JSON.stringify((options as Record<string, unknown>)[name.split('.')[0]!])}`, async () => {
      const app = Fastify()
      await assert.rejects(async () => { await app.register(geordi, options as GeordiOptions) }, (error: Error & { code: string }) => {
        assert.equal(error.code, 'GEORDI_OPTION_INVALID')
        assert.ok(error.message.includes(`\`${name}\``), error.message)
        return true
      })
    })
  }

  it('are required', async () => {
    const app = Fastify()
    await assert.rejects(async () => { await app.register(geordi, undefined as unknown as GeordiOptions) }, { code: 'GEORDI_OPTION_INVALID', message: /`isAdmin`/ })
  })

  it('that are undefined have their defaults, and given ones are not changed', async () => {
    const app = Fastify()
    const options = Object.freeze({ ...good, queue: Object.freeze({ url: server.url }), prefix: undefined, bodyLimit: undefined }) as unknown as GeordiOptions
    await app.register(geordi, options)
    assert.match(app.printRoutes({ commonPrefix: false }), /__geordi__/)
    await app.close()
  })

  it('may be a list of secrets, the first of which seals', async t => {
    const { port, name } = await start(t, server.url, app => { app.get('/work', async () => 'x') }, { isAdmin, secret: [SECRET, 'another secret of at least 32 characters'] })
    const { id } = await queue(port, '/work?__geordi__')
    assert.equal((await (await take(t, { url: server.url, name })).next()).id, id)
  })

  it('prefix and parameter give geordi other names', async t => {
    const { port, name } = await start(t, server.url, app => { app.get('/*', async request => `served ${request.url}`) }, { isAdmin, prefix: '/ops/profiles', parameter: 'profile-me' })
    const taker = await take(t, { url: server.url, name })
    assert.equal((await ask(port, '/work?__geordi__')).text, 'served /work?__geordi__')
    const { id, url, pdf } = await queue(port, '/work?a&profile-me')
    assert.equal((await taker.next()).request.url, '/work?a')
    assert.equal(url, `/ops/profiles/${id}`)
    assert.equal(pdf, `/ops/profiles/${id}/report.pdf`)
    for (const [accept, location] of [['text/html', url], ['*/*', `${pdf}?wait`]] as const) {
      const answer = await ask(port, '/work?profile-me', { accept })
      const { id } = await taker.next()
      assert.equal(answer.headers.location, location.replace(/[\w-]{22}/, id))
    }
    assert.equal((await ask(port, url, { accept: 'text/html' })).status, 200)
    assert.equal((await ask(port, pdf)).status, 202)
    assert.match((await ask(port, `/__geordi__/${id}`)).text, /^served/)
  })

  it('maxQueueTime is how long a request waits for a worker', async t => {
    const { port } = await start(t, server.url, app => { app.get('/work', async () => 'x') }, { isAdmin, maxQueueTime: 1 })
    const { url } = await queue(port, '/work?__geordi__')
    await until(async () => /"GEORDI_REPLAY_LATE"/.test((await ask(port, url, { accept: 'application/json' })).text))
  })

  it('retention is how long a replay is kept', async t => {
    const { port } = await start(t, server.url, app => { app.get('/work', async () => 'x') }, { isAdmin, retention: 1 })
    const { url } = await queue(port, '/work?__geordi__')
    let answer
    do answer = await ask(port, url, { accept: 'text/html' })
    while (answer.status === 200)
    assert.equal(answer.status, 404)
    assert.match(answer.text, /expired/)
  })
})
