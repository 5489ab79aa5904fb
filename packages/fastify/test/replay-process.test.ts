import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import cookie from '@fastify/cookie'
import session, { type FastifySessionOptions } from '@fastify/session'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import Fastify from 'fastify'
import { geordi, type GeordiOptions } from '@geordi/fastify'
import { becomeReplayProcess, type CapturedRequest, type ReplayedApp } from '@geordi/replay'
import { atEnd, isAdmin, SECRET, until } from './support.ts'

type Captured = Omit<CapturedRequest, 'body'>

/** This file's process is a replay process for all of its tests. */
const replay: { request: Captured | undefined, app: ReplayedApp | undefined, attach (app: ReplayedApp): void } = {
  request: undefined,
  app: undefined,
  attach (app) { replay.app = app }
}
becomeReplayProcess(replay)

const captured: Captured = {
  method: 'GET', url: '/work', httpVersion: '1.1', rawHeaders: [], connection: { encrypted: false }, capturedAt: 0
}

interface Options extends Partial<GeordiOptions> {
  readonly server?: FastifyServerOptions
  readonly before?: (app: FastifyInstance) => unknown
  readonly request?: Captured
}

async function build (t: TestContext, routes: (app: FastifyInstance) => unknown, { server, before, request, ...options }: Options = {}): Promise<FastifyInstance> {
  replay.request = request
  const app = Fastify(server)
  atEnd(t, () => app.close())
  await before?.(app)
  // Nothing listens there: a replay process has no business with the queue.
  await app.register(geordi, { isAdmin, secret: SECRET, queue: { url: 'redis://127.0.0.1:1' }, ...options })
  await routes(app)
  await app.ready()
  return app
}

const headers = { authorization: 'picard' }

describe('in a replay process', () => {
  it('the handler runs, flagged or not, and there are no pages', async t => {
    const app = await build(t, app => { app.get('/work', async request => request.url) }, { request: captured })
    assert.equal((await app.inject({ url: '/work?__geordi__', headers })).body, '/work?__geordi__')
    for (const path of ['/__geordi__/AAAAAAAAAAAAAAAAAAAAAA', '/__geordi__/AAAAAAAAAAAAAAAAAAAAAA/report.pdf?wait']) {
      const answer = await app.inject({ url: path, headers })
      assert.equal(answer.statusCode, 404)
      assert.match(answer.body, /Route GET:.* not found/)
    }
  })

  it('options are checked as in the web process', async () => {
    const app = Fastify()
    await assert.rejects(async () => { await app.register(geordi, { secret: SECRET } as GeordiOptions) }, { code: 'GEORDI_OPTION_INVALID' })
  })

  it('an app without routes of its own is none of geordi\'s business', async t => {
    await build(t, () => {})
  })

  it('the worker is told which app it is, and can close it', async t => {
    let closed = false
    const app = await build(t, app => app.addHook('onClose', async () => { closed = true }))
    assert.equal(replay.app!.server, app.server)
    await replay.app!.close()
    assert.ok(closed)
  })
})

describe('isOverloaded', () => {
  it('is false without @fastify/under-pressure', async t => {
    await build(t, () => {})
    assert.equal(replay.app!.isOverloaded(), false)
  })

  for (const place of ['before', 'after'] as const) {
    it(`follows @fastify/under-pressure, registered ${place} geordi`, async t => {
      let limit = 1
      const pressure = async (app: FastifyInstance) => { await app.register(underPressure, { maxHeapUsedBytes: limit, sampleInterval: 10 }) }
      const setUp = () => place === 'before' ? build(t, () => {}, { before: pressure }) : build(t, pressure)
      await setUp()
      await until(() => replay.app!.isOverloaded())
      limit = Number.MAX_SAFE_INTEGER
      const calm = await setUp()
      await until(() => calm.memoryUsage().heapUsed > 0)
      assert.equal(replay.app!.isOverloaded(), false)
    })
  }
})

describe('restore', () => {
  it('gets the context, before the app\'s later hooks', async t => {
    const steps: unknown[] = []
    const app = await build(t, app => {
      app.addHook('onRequest', async request => { steps.push('onRequest', (request as { user?: unknown }).user) })
      app.get('/work', async request => (request as { user?: unknown }).user)
    }, {
      request: { ...captured, context: { name: 'picard' } },
      restore: async (request, context) => {
        await delay(1)
        steps.push('restore')
        Object.assign(request, { user: context })
      }
    })
    assert.deepEqual((await app.inject('/work')).json(), { name: 'picard' })
    assert.deepEqual(steps, ['restore', 'onRequest', { name: 'picard' }])
  })

  it('runs for the replayed request only: once, and not before it is known or where nothing was captured', async t => {
    const contexts: unknown[] = []
    const app = await build(t, app => {
      app.get('/work', async () => (await app.inject('/inner')).body)
      app.get('/inner', async () => 'inner')
    }, { restore: (_request, context) => { contexts.push(context) } })
    await app.inject('/inner')
    assert.equal(contexts.length, 0)
    replay.request = { ...captured, context: null }
    assert.equal((await app.inject('/work')).body, 'inner')
    assert.deepEqual([...contexts], [null])

    const other = await build(t, app => { app.get('/work', async () => 'x') }, { request: captured, restore: () => { contexts.push('never') } })
    await other.inject('/work')
    assert.deepEqual([...contexts], [null])
  })

  it('that throws fails the request, as a hook of the app\'s would', async t => {
    const app = await build(t, app => { app.get('/work', async () => 'x') }, { request: { ...captured, context: 1 }, restore: () => { throw new Error('no user') } })
    const answer = await app.inject('/work')
    assert.equal(answer.statusCode, 500)
    assert.match(answer.body, /no user/)
  })
})

describe('a session of @fastify/session', () => {
  interface SessionApp { readonly options: object, readonly cookies: string, readonly session: NonNullable<Captured['session']> }

  /** What a web process would capture: a session of another app with the same secret. */
  async function logIn (t: TestContext, more: object): Promise<SessionApp> {
    const options = { secret: SECRET, cookie: { secure: false, maxAge: 3_600_000 }, ...more }
    const app = Fastify()
    atEnd(t, () => app.close())
    await app.register(cookie)
    await app.register(session, structuredClone(options) as FastifySessionOptions)
    app.get('/login', async request => {
      Object.assign(request.session, { user: 'picard' })
      return { id: request.session.sessionId, data: JSON.stringify(request.session) }
    })
    const answer = await app.inject('/login')
    return { options, cookies: (answer.headers['set-cookie'] as string).split(';')[0]!, session: answer.json() }
  }

  for (const first of ['session', 'geordi'] as const) {
    for (const more of [{}, { cookiePrefix: 's:', cookieName: 'sid' }]) {
      it(`is there for the app's hooks, ${first} registered first, ${JSON.stringify(more)}`, async t => {
        const { options, cookies, session: data } = await logIn(t, more)
        const plugins = async (app: FastifyInstance) => {
          await app.register(cookie)
          await app.register(session, structuredClone(options) as FastifySessionOptions)
        }
        const users: unknown[] = []
        const routes = async (app: FastifyInstance) => {
          if (first === 'geordi') await plugins(app)
          app.addHook('onRequest', async request => { users.push((request.session as { user?: string }).user) })
          app.get('/work', async request => ({ id: request.session.sessionId, maxAge: request.session.cookie.originalMaxAge }))
        }
        const app = await build(t, routes, { request: { ...captured, session: data }, ...(first === 'session' ? { before: plugins } : {}) })
        // Another cookie of the client's in front of it.
        const answer = await app.inject({ url: '/work', headers: { cookie: `theme=dark; ${cookies}` } })
        assert.deepEqual(answer.json(), { id: data.id, maxAge: 3_600_000 })
        assert.deepEqual(users, ['picard'])
        // It stays the same session: its cookie is renewed and not replaced.
        assert.ok(([answer.headers['set-cookie']].flat()[0] as string).startsWith(cookies))
      })
    }
  }

  it('is not put into a store that is shared', async t => {
    const { options, cookies, session: data } = await logIn(t, {})
    const sessions = new Map<string, object>()
    const store = {
      set (id: string, value: object, done: () => void) { sessions.set(id, value); done() },
      get (id: string, done: (error: null, session: object | null) => void) { done(null, sessions.get(id) ?? null) },
      destroy (id: string, done: () => void) { sessions.delete(id); done() }
    }
    const app = await build(t, async app => {
      await app.register(cookie)
      await app.register(session, { ...options, store } as FastifySessionOptions)
      app.get('/work', async request => ({ user: (request.session as { user?: string }).user ?? 'nobody' }))
    }, { request: { ...captured, session: data } })
    assert.deepEqual((await app.inject({ url: '/work', headers: { cookie: cookies } })).json(), { user: 'nobody' })
    assert.equal(sessions.has(data.id), false)
  })
})
