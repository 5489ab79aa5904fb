import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { geordi } from '@geordi/fastify'
import { assertSameAnswer, startPlain } from './compare.ts'
import { ask, atEnd, isAdmin, queue, queueServer, SECRET, start, take, unique, type AppOptions } from './support.ts'

const server = await queueServer()

const ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Everything that somebody might try under a prefix. */
function attempts (prefix: string): string[] {
  const paths = [
    '', '/', '/abc', `/${ID}`, `/${ID}?a=1`, `/${ID}/`, `/${ID}//`, `/${ID}A`, `/${'A'.repeat(101)}`, `/${'A'.repeat(1000)}`,
    `/${ID}/report.pdf`, `/${ID}/report.pdf?wait`, `/${ID}/report.pdf/`, `/${ID}/profile.cpuprofile`, `/${ID}/capture`, `/${ID}/${'x'.repeat(300)}`,
    `/${ID}%2Freport.pdf`, `/${ID}%2freport.pdf`, `/%41${ID.slice(1)}`, `/${ID};a=1`, `/${ID}%00`, '/%zz', '/..%2f..', `/${ID}.`, `/./${ID}`, `/${ID}\\\\`, '/a/b/c', '/*', '/:id'
  ].map(path => prefix + path)
  return [
    ...[...paths, `/${prefix}/${ID}`, `http://elsewhere${prefix}/${ID}`, `${prefix.toUpperCase()}/${ID}`, `${prefix}./${ID}`, prefix.replace('/', '/%') + `/${ID}`, prefix.replaceAll('_', '%5f') + `/${ID}`].map(path => `GET ${path}`),
    ...['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'].flatMap(method => [`${method} ${prefix}/${ID}`, `${method} ${prefix}/${ID}/report.pdf`, `${method} ${prefix}/abc`])
  ]
}

/** An app without geordi beside one with it, asked the same. */
async function assertSame (t: TestContext, routes: (app: FastifyInstance) => unknown, options: Partial<AppOptions> = {}): Promise<string[]> {
  const without = await startPlain(t, routes, options.server)
  const { port } = await start(t, server.url, routes, options)
  const answers: string[] = []
  for (const line of attempts(options.prefix ?? '/__geordi__')) answers.push(await assertSameAnswer(without, port, [line]))
  return answers
}

const route = (app: FastifyInstance) => { app.get('/x', async () => 'x') }

describe('under geordi\'s prefix, who is no admin', () => {
  it('gets the default 404', async t => {
    const answers = await assertSame(t, route)
    assert.ok(answers.every(answer => /^HTTP\/1\.1 (404|400) /.test(answer)))
  })

  it('gets the app\'s 404, with its own hooks', async t => {
    await assertSame(t, app => {
      route(app)
      app.setNotFoundHandler({
        preHandler: (_request: FastifyRequest, reply: FastifyReply, done: () => void) => { reply.header('x-missing', 'hook'); done() }
      }, async (request, reply) => reply.code(404).send({ nothing: request.url, params: request.params }))
    })
  })

  for (const options of [{ prefix: '/some/where.else' }, { server: { routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false, useSemicolonDelimiter: true } } }, { server: { routerOptions: { maxParamLength: 10 } } }, { server: { routerOptions: { compile: true } } }]) {
    it(`gets the 404 with ${JSON.stringify(options)}`, async t => {
      await assertSame(t, route, options)
    })
  }

  for (const url of ['/*', '*', '/:any/:id', '/:any/:id/:more', '/__geordi__/*', '/__geordi__/:id', '/__geordi__/AAAAAAAAAAAAAAAAAAAAAA']) {
    it(`gets what the app's own route answers there: ${url}`, async t => {
      await assertSame(t, async app => {
        route(app)
        app.addHook('preHandler', async (_request, reply) => { reply.header('x-hook', 'yes') })
        await app.register(async child => {
          child.addHook('preHandler', async (request, reply) => { reply.header('x-child', request.routeOptions.url!) })
          child.all(url, async request => ({ url: request.url, params: request.params, is404: request.is404 }))
        })
      })
    })
  }

  it('is to the app\'s hooks a request that finds nothing', async t => {
    const seen: string[][] = []
    await assertSame(t, app => {
      const log: string[] = []
      seen.push(log)
      const look = (name: string) => async (request: FastifyRequest) => {
        const { url, method, config } = request.routeOptions
        log.push(`${name} ${request.method} ${request.url} ${JSON.stringify(request.params)} ${request.is404} ${String(url)} ${String(method)} ${JSON.stringify(config)}`)
      }
      route(app)
      for (const name of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse'] as const) app.addHook(name as 'onRequest', look(name))
    })
    const [expected, actual] = seen.map(log => log.sort()) as [string[], string[]]
    assert.deepEqual(actual, expected)
    assert.ok(expected.length > 100)
  })
})

describe('where a route of the app\'s own covers the prefix, an admin', () => {
  const html = { accept: 'text/html' }

  for (const url of ['/*', '*', '/:any/:id']) {
    for (const handler of ['sync', 'async']) {
      it(`gets geordi's pages from it: ${url}, ${handler}`, async t => {
        let runs = 0
        const { port, name } = await start(t, server.url, app => {
          app.get('/work', async () => 'x')
          app.get(url, handler === 'sync' ? (_request, reply) => { runs++; reply.send('the app') } : async () => { runs++; return 'the app' })
        })
        const taker = await take(t, { url: server.url, name })
        const { url: page, pdf } = await queue(port, '/work?__geordi__')
        assert.match((await ask(port, page, html)).text, /Waiting for a worker/)
        const task = await taker.next()
        assert.equal((await ask(port, pdf)).status, 202)
        await task.attach('report.pdf', Buffer.from('%PDF'))
        await task.update({ state: 'done' })
        assert.equal((await ask(port, `${pdf}?wait`)).text, '%PDF')
        assert.equal((await ask(port, pdf, { method: 'HEAD' })).headers['content-length'], '4')
        assert.match((await ask(port, `/__geordi__/${ID}`, html)).text, /no such replay/)
        assert.equal(runs, 0)
        assert.equal((await ask(port, page, { admin: false })).text, 'the app')
        assert.equal(runs, 1)
      })
    }
  }

  it('who is known in a preHandler only gets them, too, and from geordi\'s own route', async t => {
    for (const url of ['/*', '/x']) {
      const users = new WeakSet<FastifyRequest>()
      const { port } = await start(t, server.url, app => {
        app.addHook('preHandler', async request => { if (request.headers.authorization === 'picard') users.add(request) })
        app.get(url, async () => 'the app')
      }, { isAdmin: request => users.has(request) })
      assert.match((await ask(port, `/__geordi__/${ID}`, html)).text, /no such replay/, url)
    }
  })

  it('gets them from geordi\'s own route where the app\'s was there before geordi', async t => {
    const { port } = await start(t, server.url, route, { before: app => app.get('/*', async () => 'the app') })
    assert.match((await ask(port, `/__geordi__/${ID}`, html)).text, /no such replay/)
  })

  it('gets them from geordi\'s own route where the app\'s is outside of geordi\'s plugin', async t => {
    const app = Fastify()
    atEnd(t, () => app.close())
    await app.register(async child => {
      await child.register(geordi, { isAdmin, secret: SECRET, queue: { url: server.url, name: unique() } })
      child.get('/inside', async () => 'x')
    })
    app.get('/*', async () => 'the app')
    const answer = await app.inject({ url: `/__geordi__/${ID}`, headers: { authorization: 'picard', ...html } })
    assert.match(answer.body, /no such replay/)
  })

  it('gets them under the app\'s limit for handlers', async t => {
    const { port, name } = await start(t, server.url, app => {
      app.get('/work', async () => 'x')
      app.get('/*', { handlerTimeout: 1000 }, async () => 'the app')
    })
    await take(t, { url: server.url, name })
    const { pdf } = await queue(port, '/work?__geordi__')
    const { status, headers } = await ask(port, `${pdf}?wait`)
    assert.equal(status, 303)
    assert.equal(headers.location, `${pdf}?wait`)
  })

  it('POSTs to it as ever', async t => {
    const { port, name } = await start(t, server.url, app => { app.all('/*', async () => 'the app') })
    assert.equal((await ask(port, `/__geordi__/${ID}`, { method: 'POST' })).text, 'the app')
    await queue(port, `/__geordi__/${ID}?__geordi__`, { method: 'POST' })
    assert.equal((await (await take(t, { url: server.url, name })).next()).request.url, `/__geordi__/${ID}`)
  })
})
