import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import compress from '@fastify/compress'
import fastifyPlugin from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { ask, isAdmin, queue, queueServer, start, take, type AppOptions } from './support.ts'

const server = await queueServer()

/** An app with one route `/work`, the number of its handler's runs, and a worker. */
async function one (t: TestContext, options: Partial<AppOptions> = {}, routes: (app: FastifyInstance) => unknown = () => {}) {
  const count = { runs: 0 }
  const running = await start(t, server.url, async app => {
    await routes(app)
    app.all('/work', async () => { count.runs++; return 'the handler' })
  }, options)
  return { ...running, count, taker: await take(t, { url: server.url, name: running.name }) }
}

describe('the answer to an admin\'s flagged request', () => {
  const page = /^\/__geordi__\/[\w-]{22}$/
  const pdf = /^\/__geordi__\/[\w-]{22}\/report\.pdf\?wait$/
  const cases: Array<[accept: string | undefined, status: number, location: RegExp | undefined]> = [
    ['text/html', 303, page],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 303, page],
    ['text/*', 303, page],
    ['application/json;q=0.1, text/html;q=0.2', 303, page],
    ['application/json', 202, undefined],
    ['application/json, text/plain, */*', 202, undefined],
    ['text/html;q=0.5, application/json;q=0.9', 202, undefined],
    ['text/html;q=0, application/json', 202, undefined],
    ['*/*', 303, pdf],
    ['application/pdf', 303, pdf],
    ['application/pdf, text/html;q=0.9', 303, pdf],
    ['image/png', 303, pdf],
    [undefined, 303, pdf]
  ]
  for (const [accept, status, location] of cases) {
    it(`follows Accept: ${accept ?? '(none)'}`, async t => {
      const { port, taker, count } = await one(t)
      const answer = await ask(port, '/work?__geordi__', accept === undefined ? {} : { accept })
      const { id } = await taker.next()
      assert.equal(answer.status, status, answer.text)
      if (location === undefined) {
        const url = `/__geordi__/${id}`
        assert.deepEqual(JSON.parse(answer.text), { id, state: 'queued', url, pdf: `${url}/report.pdf` })
      } else {
        assert.match(answer.headers.location!, location)
        assert.ok(answer.headers.location!.includes(id))
      }
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.equal(count.runs, 0)
    })
  }

  it('leaves a HEAD without a body and captures it as HEAD', async t => {
    const { port, taker, count } = await one(t, {}, app => app.get('/only-get', async () => { count.runs++ }))
    for (const path of ['/work', '/only-get']) {
      const answer = await ask(port, `${path}?__geordi__`, { method: 'HEAD' })
      assert.equal(answer.status, 303)
      assert.equal(answer.text, '')
      const task = await taker.next()
      assert.equal(task.request.method, 'HEAD')
      assert.ok(answer.headers.location!.includes(task.id))
    }
    assert.equal(count.runs, 0)
  })

  it('passes the app\'s compression and preSerialization hooks unharmed', async t => {
    const { port, taker } = await one(t, {}, async app => {
      await app.register(compress, { threshold: 0 })
      app.addHook('preSerialization', async () => ({ wrapped: true }))
    })
    const { id } = await queue(port, '/work?__geordi__')
    assert.equal((await taker.next()).id, id)
  })

  it('passes through the app\'s onSend hooks', async t => {
    const { port } = await one(t, {}, app => app.addHook('onSend', async (_request, reply) => { reply.header('x-app', 'yes') }))
    assert.equal((await ask(port, '/work?__geordi__')).headers['x-app'], 'yes')
  })

  it('comes to requests of app.inject, with and without a body', async t => {
    const { app, taker } = await one(t)
    for (const payload of [undefined, 'some text']) {
      const headers = { accept: 'application/json', authorization: 'picard', ...(payload === undefined ? {} : { 'content-type': 'text/plain' }) }
      const answer = await app.inject({ method: 'POST', url: '/work?__geordi__', headers, ...(payload === undefined ? {} : { payload }) })
      assert.equal(answer.statusCode, 202, answer.body)
      assert.equal(Buffer.from((await taker.next()).request.body).toString(), payload ?? '')
    }
  })
})

/** Each would make something else of our JSON, or a 500: with all its properties dropped, or one missing; and so would the serializer of a hook. */
describe('a response schema', () => {
  const serializer = (app: FastifyInstance) => app.addHook('onRequest', async (_request, reply) => { reply.serializer(() => 'the app\'s own') })
  const other = { type: 'object', properties: { other: { type: 'string' } }, required: ['other'] }
  const empty = { type: 'object', properties: {} }
  const text = { type: 'string' }
  const schemas: Record<string, object> = {
    'of a status': Object.fromEntries([202, 303, 413, 500, 503].map(status => [status, other])),
    'of a class of statuses': { '2xx': empty, '3xx': empty, '4xx': empty, '5xx': empty },
    'of all statuses': { default: other },
    'of a text': { default: text },
    'of a content type': { default: { content: { 'application/json': { schema: other }, 'text/html': { schema: text }, 'text/plain': { schema: text } } } }
  }
  for (const [name, response] of Object.entries(schemas)) {
    it(`${name} changes none of geordi's answers`, async t => {
      const { port, taker } = await one(t, { bodyLimit: 10, capture: request => { if (request.url.includes('throws')) throw new Error('no context') } }, app => {
        serializer(app)
        app.post('/schema', { schema: { response } }, async () => ({ other: 'x', more: 1 }))
      })
      const post = (path: string, accept: string, body = 'short') => ask(port, path, { method: 'POST', accept, body, headers: { 'content-type': 'text/plain' } })

      const { id, state, pdf } = JSON.parse((await post('/schema?__geordi__', 'application/json')).text)
      assert.equal((await taker.next()).id, id)
      assert.deepEqual({ state, pdf }, { state: 'queued', pdf: `/__geordi__/${id}/report.pdf` })
      for (const accept of ['text/html', '*/*']) {
        const answer = await post('/schema?__geordi__', accept)
        assert.equal(answer.status, 303)
        assert.equal(answer.text, answer.headers.location)
      }

      for (const [path, body, status, code, message] of [
        ['/schema?__geordi__', 'more than ten bytes', 413, 'GEORDI_BODY_TOO_LARGE', /10 bytes/],
        ['/schema?throws&__geordi__', 'short', 500, 'GEORDI_HOOK_FAILED', /`capture` threw: no context/]
      ] as const) {
        const json = await post(path, 'application/json', body)
        assert.equal(json.status, status)
        const failure = JSON.parse(json.text)
        assert.match(failure.message, message)
        assert.deepEqual({ ...failure, message: '' }, { statusCode: status, code, error: 'GeordiError', message: '' })
        const html = await post(path, 'text/html', body)
        assert.equal(html.status, status)
        assert.match(html.text, /^<!doctype html>[^]*<h1>No profile<\/h1>[^]*<\/html>/)
        const plain = await post(path, '*/*', body)
        assert.equal(plain.status, status)
        assert.match(plain.text, message)
      }
    })

    it(`${name} of a route that covers geordi's prefix changes none of its pages`, async t => {
      const { port, taker } = await one(t, {}, app => {
        serializer(app)
        app.get('/*', { schema: { response } }, async () => ({ other: 'x' }))
      })
      const { id, url } = await queue(port, '/work?__geordi__')
      await taker.next()
      assert.equal(JSON.parse((await ask(port, url, { accept: 'application/json' })).text).request.url, '/work')
      assert.match((await ask(port, url, { accept: 'text/html' })).text, /^<!doctype html>[^]*Waiting for a worker/)
      assert.equal((await ask(port, `${url}/report.pdf`)).text, 'The replay is queued.\n')
      const unknown = JSON.parse((await ask(port, `/__geordi__/${[...id].reverse().join('')}`, { accept: 'application/json' })).text)
      assert.equal(unknown.code, 'GEORDI_REPLAY_UNKNOWN')
    })
  }
})

describe('what takes the handler\'s place', () => {
  it('runs no handler: sync, async, with a prefix, encapsulated, of a shorthand or of route()', async t => {
    const count = { runs: 0 }
    const ran = () => { count.runs++; return 'ran' }
    const { port, name } = await start(t, server.url, async app => {
      app.get('/sync', (_request, reply) => { reply.send(ran()) })
      app.get('/async', async () => ran())
      app.route({ method: ['GET', 'POST'], url: '/route', handler: async () => ran() })
      await app.register(async child => {
        child.get('/', async () => ran())
        child.get('/encapsulated/:id', async () => ran())
      }, { prefix: '/prefix' })
      await app.register(fastifyPlugin(async other => { other.delete('/plugin', async () => ran()) }))
      // The same function for two routes.
      app.get('/shared-a', ran)
      app.get('/shared-b', ran)
    })
    const taker = await take(t, { url: server.url, name })
    const requests = ['GET /sync', 'GET /async', 'GET /route', 'POST /route', 'GET /prefix', 'GET /prefix/', 'GET /prefix/encapsulated/7', 'DELETE /plugin', 'GET /shared-a', 'GET /shared-b']
    for (const line of requests) {
      const [method, path] = line.split(' ') as [string, string]
      await queue(port, `${path}?__geordi__`, { method })
      const { request } = await taker.next()
      assert.equal(`${request.method} ${request.url}`, line)
    }
    assert.equal(count.runs, 0)
    assert.equal((await ask(port, '/shared-b')).text, 'ran', 'unflagged requests are served')
  })

  it('comes after all of the app\'s own hooks, and isAdmin after them', async t => {
    const steps: string[] = []
    const step = (name: string) => async () => { steps.push(name) }
    const { port } = await start(t, server.url, async app => {
      app.addHook('onRequest', step('onRequest'))
      app.addHook('preParsing', async () => { steps.push('preParsing') })
      app.addHook('preValidation', step('preValidation'))
      app.addHook('preHandler', step('preHandler'))
      // As @fastify/rate-limit does it: a preHandler of its own, behind those of the route.
      await app.register(fastifyPlugin(async other => {
        other.addHook('onRoute', route => {
          route.preHandler = [...[route.preHandler ?? []].flat(), step('appended')]
        })
      }))
      app.post('/work', { preHandler: step('route'), schema: { body: { type: 'object', required: ['name'] } } }, step('handler'))
    }, {
      isAdmin: async request => {
        steps.push('isAdmin')
        assert.deepEqual(request.body, { name: 'x' })
        return isAdmin(request)
      }
    })
    await queue(port, '/work?__geordi__', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"x"}' })
    assert.deepEqual(steps, ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'route', 'appended', 'isAdmin'])
  })

  it('lets the app turn a request away before it: by a hook, by validation', async t => {
    const { port, name } = await start(t, server.url, app => {
      app.addHook('preHandler', async (request, reply) => {
        if (request.url.startsWith('/closed')) return reply.code(403).send('closed')
      })
      app.get('/closed', async () => 'x')
      app.get('/strict', { schema: { querystring: { type: 'object', properties: { n: { type: 'integer' } } } } }, async () => 'x')
      app.get('/open', async () => 'x')
    })
    const taker = await take(t, { url: server.url, name })
    assert.equal((await ask(port, '/closed?__geordi__')).status, 403)
    assert.equal((await ask(port, '/strict?n=x&__geordi__')).status, 400)
    assert.equal((await ask(port, '/unknown?__geordi__')).status, 404)
    await queue(port, '/open?__geordi__')
    assert.equal((await taker.next()).request.url, '/open', 'nothing was queued before it')
  })

  for (const key of ['querystring', 'query'] as const) {
    it(`hides the flag from a strict \`${key}\` schema`, async t => {
      const { port, name } = await start(t, server.url, app => {
        app.get('/strict', { schema: { [key]: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false } } }, async () => 'x')
      }, { server: { ajv: { customOptions: { removeAdditional: false } } } })
      const taker = await take(t, { url: server.url, name })
      assert.equal((await ask(port, '/strict?a=1&other')).status, 400)
      assert.equal((await ask(port, '/strict?a=1&__geordi__&other')).status, 400)
      await queue(port, '/strict?a=1&__geordi__')
      assert.equal((await taker.next()).request.url, '/strict?a=1')
    })
  }
})
