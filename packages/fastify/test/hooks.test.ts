import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import type { FastifyInstance } from 'fastify'
import { ask, queue, queueServer, SECRET, start, take, type AppOptions } from './support.ts'

const server = await queueServer()

async function captured (t: TestContext, options: Partial<AppOptions>, routes: (app: FastifyInstance) => unknown = () => {}, headers: Record<string, string> = {}) {
  const { port, name } = await start(t, server.url, async app => {
    await routes(app)
    app.get('/work', async () => 'x')
  }, options)
  const taker = await take(t, { url: server.url, name })
  const { id } = await queue(port, '/work?__geordi__', { headers })
  return { ...(await taker.next()), port, id }
}

describe('what the options `capture` and `identify` add', () => {
  it('is sealed with the request', async t => {
    const { request } = await captured(t, {
      identify: request => request.headers.authorization,
      capture: async request => ({ user: request.headers.authorization, at: new Date(0), nothing: undefined })
    })
    assert.equal(request.by, 'picard')
    assert.deepEqual(request.context, { user: 'picard', at: '1970-01-01T00:00:00.000Z' })
  })

  it('is nothing where they return nothing', async t => {
    const { request } = await captured(t, { identify: () => undefined, capture: () => undefined })
    assert.equal('by' in request, false)
    assert.equal('context' in request, false)
  })

  it('may be null', async t => {
    const { request } = await captured(t, { identify: (() => null) as never, capture: () => null })
    assert.equal('by' in request, false)
    assert.equal(request.context, null)
  })

  it('is shown on the page, for who asked', async t => {
    const { id, port } = await captured(t, { identify: () => 'picard' })
    assert.equal(JSON.parse((await ask(port, `/__geordi__/${id}`, { accept: 'application/json' })).text).by, 'picard')
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const failures: Array<[what: string, options: Partial<AppOptions>, message: RegExp]> = [
    ['capture throws', { capture: () => { throw new Error('no such thing') } }, /`capture` threw: no such thing/],
    ['capture rejects', { capture: async () => { throw new Error('no such thing') } }, /`capture` threw: no such thing/],
    ['capture throws undefined', { capture: () => { throw undefined } }, /`capture` threw: undefined/], // eslint-disable-line no-throw-literal
    ['identify throws', { identify: () => { throw new Error('nobody') } }, /`identify` threw: nobody/],
    ['capture returns a bigint', { capture: () => ({ id: 1n }) }, /`capture` threw: .*BigInt/],
    ['capture returns a cycle', { capture: () => cycle }, /`capture` threw: .*circular/]
  ]
  for (const [what, options, message] of failures) {
    it(`is missed clearly when ${what}: 500, and nothing is queued or run`, async t => {
      let fails = true
      let runs = 0
      const wrapped = Object.fromEntries(Object.entries(options).map(([name, hook]) => [name, (...args: unknown[]) => fails ? (hook as (...args: unknown[]) => unknown)(...args) : undefined]))
      const { port, name } = await start(t, server.url, app => { app.get('/work', async () => { runs++ }) }, wrapped)
      for (const accept of ['application/json', '*/*']) {
        const answer = await ask(port, '/work?failed&__geordi__', { accept })
        assert.equal(answer.status, 500)
        assert.match(answer.text, message)
      }
      fails = false
      await queue(port, '/work?good&__geordi__')
      assert.equal((await (await take(t, { url: server.url, name })).next()).request.url, '/work?good')
      assert.equal(runs, 0)
    })
  }
})

describe('a session of @fastify/session', () => {
  const options = { secret: SECRET, cookie: { secure: false } }

  /** Logs in, then queues a flagged request with the session's cookie. */
  async function loggedIn (t: TestContext, sessionOptions: object, first: 'session' | 'geordi') {
    const plugins = async (app: FastifyInstance) => {
      await app.register(cookie)
      await app.register(session, { ...options, ...sessionOptions })
    }
    const { port, name } = await start(t, server.url, async app => {
      if (first === 'geordi') await plugins(app)
      app.get('/login', async request => {
        Object.assign(request.session, { user: 'picard' })
        return request.session.sessionId
      })
      app.get('/work', async () => 'x')
    }, first === 'session' ? { before: plugins } : {})
    const login = await ask(port, '/login')
    const headers = { cookie: login.headers['set-cookie']![0]!.split(';')[0]! }
    await queue(port, '/work?__geordi__', { headers })
    return { sessionId: login.text, request: (await (await take(t, { url: server.url, name })).next()).request }
  }

  for (const first of ['session', 'geordi'] as const) {
    for (const sessionOptions of [{}, { cookiePrefix: 's:', cookieName: 'sid' }]) {
      it(`in memory is captured, ${first} registered first, ${JSON.stringify(sessionOptions)}`, async t => {
        const { sessionId, request } = await loggedIn(t, sessionOptions, first)
        assert.equal(request.session!.id, sessionId)
        assert.equal(JSON.parse(request.session!.data).user, 'picard')
      })
    }
  }

  it('in a shared store is left alone', async t => {
    const sessions = new Map<string, string>()
    const store = {
      set (id: string, session: object, done: () => void) { sessions.set(id, JSON.stringify(session)); done() },
      get (id: string, done: (error: null, session: object | null) => void) { done(null, JSON.parse(sessions.get(id) ?? 'null')) },
      destroy (id: string, done: () => void) { sessions.delete(id); done() }
    }
    const { request } = await loggedIn(t, { store }, 'session')
    assert.equal(sessions.size, 1)
    assert.equal('session' in request, false)
  })

  it('is none where there is none', async t => {
    const { request } = await captured(t, {})
    assert.equal('session' in request, false)
  })
})
