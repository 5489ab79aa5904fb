import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { geordi } from '@geordi/fastify'
import { atEnd, isAdmin, queueServer, SECRET, take, unique } from './support.ts'

const server = await queueServer()

/** An app that remembers what it logs, and geordi's options for it. */
function build (t: TestContext) {
  const lines: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { lines.push(String(chunk)); done() } })
  const app = Fastify({ logger: { level: 'warn', stream } })
  atEnd(t, () => app.close())
  const options = { isAdmin, secret: SECRET, queue: { url: server.url, name: unique() } }
  return { app, options, warnings: () => lines.map(line => JSON.parse(line).msg as string).join('\n') }
}

const route = async () => 'x'
const ready = async (app: FastifyInstance) => { await app.ready() }

describe('registered where it sees no route', () => {
  const wrong: Record<string, (app: FastifyInstance, options: Parameters<typeof geordi>[1]) => unknown> = {
    'without await, the routes behind it': (app, options) => {
      app.register(geordi, options)
      app.get('/a', route)
    },
    'after all routes': async (app, options) => {
      app.get('/a', route)
      await app.register(geordi, options)
    },
    'after the plugins that have the routes': async (app, options) => {
      await app.register(async child => { child.get('/a', route) })
      await app.register(geordi, options)
    },
    'in a plugin of its own': async (app, options) => {
      await app.register(async child => { await child.register(geordi, options) })
      app.get('/a', route)
    },
    'in an app without routes': async (app, options) => { await app.register(geordi, options) }
  }
  for (const [where, register] of Object.entries(wrong)) {
    it(`refuses to start: ${where}`, async t => {
      const { app, options } = build(t)
      await register(app, options)
      await assert.rejects(ready(app), (error: Error & { code: string }) => {
        assert.equal(error.code, 'GEORDI_NO_ROUTES')
        assert.match(error.message, /await app\.register\(geordi, …\)` on the root instance before your routes/)
        return true
      })
    })
  }
})

it('registered twice under one prefix refuses to start, under two it works', async t => {
  const { app, options } = build(t)
  await app.register(geordi, options)
  await assert.rejects(async () => { await app.register(geordi, options) }, { code: 'FST_ERR_DUPLICATED_ROUTE' })

  const other = build(t)
  for (const prefix of ['/one', '/two']) {
    await other.app.register(async child => {
      await child.register(geordi, other.options)
      child.get('/a', route)
    }, { prefix })
  }
  for (const prefix of ['/one', '/two']) {
    const answer = await other.app.inject({ url: `${prefix}/__geordi__/AAAAAAAAAAAAAAAAAAAAAA`, headers: { authorization: 'picard', accept: 'text/html' } })
    assert.match(answer.body, /no such replay/)
  }
  assert.match(other.app.printRoutes({ commonPrefix: false }), /__geordi__/)
})

describe('registered where it sees some of the routes', () => {
  it('names those that came before it', async t => {
    const { app, options, warnings } = build(t)
    app.get('/early/one', route)
    await app.register(async child => { child.post('/two', route) }, { prefix: '/early' })
    await app.register(geordi, options)
    app.get('/late', route)
    await ready(app)
    assert.match(warnings(), /can't profile these routes/)
    assert.match(warnings(), /\/early/)
    assert.match(warnings(), /one/)
    assert.match(warnings(), /two/)
    assert.doesNotMatch(warnings(), /late/)
  })

  it('names those it sees, in a plugin of its own, and works there under that plugin\'s prefix', async t => {
    const { app, options, warnings } = build(t)
    await app.register(async child => {
      await child.register(geordi, options)
      child.get('/inside', route)
    }, { prefix: '/part' })
    app.get('/outside', route)
    await ready(app)
    assert.match(warnings(), /only its routes: GET \/part\/inside/)
    assert.match(warnings(), /on the root instance/)
    assert.doesNotMatch(warnings(), /outside/)

    const taker = await take(t, { url: server.url, name: options.queue.name })
    const headers = { authorization: 'picard', accept: 'text/html' }
    const answer = await app.inject({ url: '/part/inside?__geordi__', headers })
    const { id } = await taker.next()
    assert.equal(answer.headers.location, `/part/__geordi__/${id}`)
    assert.equal((await app.inject({ url: `/part/__geordi__/${id}`, headers })).statusCode, 200)
    assert.equal((await app.inject({ url: '/outside?__geordi__', headers })).body, 'x')
  })

  it('says nothing where it sees all', async t => {
    const { app, options, warnings } = build(t)
    await app.register(geordi, options)
    app.get('/a', route)
    await app.register(async child => { child.get('/b', route) }, { prefix: '/part' })
    await ready(app)
    assert.equal(warnings(), '')
  })
})

it('knows a HEAD route of the app\'s own from the one that Fastify adds', async t => {
  const { app, options } = build(t)
  await app.register(geordi, options)
  let runs = 0
  app.head('/a', async () => { runs++ })
  app.get('/a', async () => { runs++ })
  const taker = await take(t, { url: server.url, name: options.queue.name })
  for (const method of ['HEAD', 'GET'] as const) {
    await app.inject({ method, url: '/a?__geordi__', headers: { authorization: 'picard' } })
    assert.equal((await taker.next()).request.method, method)
  }
  assert.equal(runs, 0)
})
