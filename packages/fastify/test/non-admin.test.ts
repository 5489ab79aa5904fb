import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createRequire } from 'node:module'
import { assertSameAnswer, startPlain, type Line } from './compare.ts'
import { ADMIN, ask, head, queueServer, raw, start, take } from './support.ts'

const server = await queueServer()

/** One of everything that a handler can do. */
async function everything (app: FastifyInstance): Promise<void> {
  await app.register(cookie)
  await app.register(formbody)
  await app.register(multipart)
  app.decorate('greeting', 'hello')
  app.setNotFoundHandler({ preHandler: (_request: FastifyRequest, reply: FastifyReply, done: () => void) => { reply.header('x-missing', 'hook'); done() } }, async (request, reply) => {
    reply.code(404).header('x-missing-url', request.url)
    return { nothing: request.url }
  })
  app.setErrorHandler((error: Error & { validation?: unknown, statusCode?: number }, _request, reply) => {
    reply.code(error.statusCode ?? 500).send({ mine: error.message, validation: error.validation })
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.header('x-sent', 'yes')
    return payload
  })

  app.get('/strict', { schema: { querystring: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false } } }, async request => request.query)
  app.get('/schema', { schema: { response: { 200: { type: 'object', properties: { a: { type: 'number' } } } } } }, async () => ({ a: '7', b: 'dropped' }))
  app.get('/query', async request => ({ query: request.query, url: request.url, raw: request.raw.url }))
  app.get('/throws-sync', () => { throw new Error('sync') })
  app.get('/throws-async', async () => { throw Object.assign(new Error('async'), { statusCode: 418 }) })
  app.get('/throws-undefined', async () => { throw undefined }) // eslint-disable-line no-throw-literal
  app.get('/throws-undefined-sync', () => { throw undefined }) // eslint-disable-line no-throw-literal
  app.get('/throws-text-sync', () => { throw 'text' }) // eslint-disable-line no-throw-literal
  app.get('/missing', (_request, reply) => { reply.callNotFound() })
  app.get('/missing-async', async (_request, reply) => reply.callNotFound())
  app.get('/returns-value', () => 'a value')
  app.get('/returns-null', () => null)
  app.get('/returns-null-async', async () => null)
  app.get('/returns-nothing-async', async () => {})
  app.get('/returns-reply', (_request, reply) => reply.code(201).send({ a: 1 }))
  app.get('/sends', (_request, reply) => { reply.send('sent at once') })
  app.get('/sends-later', (_request, reply) => { setImmediate(() => reply.send('sent later')) })
  app.get('/sends-nothing', (_request, reply) => { reply.send() })
  app.get('/sends-async-unreturned', async (_request, reply) => { reply.send('sent, not returned') })
  app.get('/sends-later-async', async (_request, reply) => {
    setImmediate(() => reply.send('sent later'))
    return reply
  })
  app.get('/sends-then-throws', (_request, reply) => {
    reply.send('sent')
    throw new Error('too late')
  })
  app.get('/redirects', (_request, reply) => { reply.setCookie('a', 'b').redirect('/elsewhere', 307) })
  app.get('/stream', (_request, reply) => { reply.type('text/plain').send(Readable.from(['some ', 'parts'])) })
  app.get('/stream-returned', async () => Readable.from([Buffer.from('some '), Buffer.from('parts')]))
  app.get('/stream-breaks-at-once', (_request, reply) => { reply.send(new Readable({ read () { this.destroy(new Error('broken')) } })) })
  app.get('/stream-breaks-later', (_request, reply) => {
    let reads = 0
    reply.send(new Readable({ read () { reads++ === 0 ? this.push('first') : setImmediate(() => this.destroy(new Error('broken'))) } }))
  })
  app.get('/hijacks', (_request, reply) => {
    reply.hijack()
    reply.raw.end('hijacked')
  })
  app.get('/hijacks-async', async (_request, reply) => {
    reply.hijack()
    setImmediate(() => reply.raw.end('hijacked'))
  })
  app.get('/never', { handlerTimeout: 50 }, () => {})
  app.get('/this', async function () { return (this as unknown as { greeting: string }).greeting })
  app.post('/echo', async request => ({ body: request.body }))
  app.post('/small', { bodyLimit: 10 }, async request => request.body)
  app.post('/multipart', async request => {
    const parts: string[] = []
    for await (const part of request.parts()) {
      parts.push(part.type === 'file' ? `${part.filename}: ${(await part.toBuffer()).length}` : `${part.fieldname}=${String(part.value)}`)
    }
    return parts
  })
  await app.register(async child => {
    child.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
    child.post('/stream', async request => (await text(request.body as Readable)).length)
    child.post('/unread', async () => 'not read')
    child.setNotFoundHandler((_request, reply) => { reply.code(404).send('the child has no such page') })
  }, { prefix: '/child' })
}

const boundary = 'xxBOUNDARYxx'
const form = [
  `--${boundary}`, 'Content-Disposition: form-data; name="a"', '', '1',
  `--${boundary}`, 'Content-Disposition: form-data; name="file"; filename="f.bin"', 'Content-Type: application/octet-stream', '', 'z'.repeat(300_000),
  `--${boundary}--`, ''
].join('\r\n')

/** Request lines with the flag in them, and bodies. */
const requests: Line[] = [
  ...['/strict?a=1&__geordi__', '/schema?__geordi__', '/query?a=%20+&__geordi__=x&b', '/query?__geordi__', '/throws-sync?__geordi__',
    '/throws-async?__geordi__', '/throws-undefined?__geordi__', '/throws-undefined-sync?__geordi__', '/throws-text-sync?__geordi__', '/missing?__geordi__', '/missing-async?__geordi__', '/returns-value?__geordi__',
    '/returns-null?__geordi__', '/returns-null-async?__geordi__', '/returns-nothing-async?__geordi__', '/returns-reply?__geordi__',
    '/sends?__geordi__', '/sends-later?__geordi__', '/sends-nothing?__geordi__', '/sends-async-unreturned?__geordi__',
    '/sends-later-async?__geordi__', '/sends-then-throws?__geordi__', '/redirects?__geordi__', '/stream?__geordi__',
    '/stream-returned?__geordi__', '/stream-breaks-at-once?__geordi__', '/stream-breaks-later?__geordi__', '/hijacks?__geordi__',
    '/hijacks-async?__geordi__', '/never?__geordi__', '/this?__geordi__', '/unknown?__geordi__', '/child/unknown?__geordi__',
    '/__geordi__/AAAAAAAAAAAAAAAAAAAAAA?__geordi__', 'http://elsewhere/query?__geordi__', '//query?__geordi__'
  ].map((path): [string] => [`GET ${path}`]),
  ['HEAD /schema?__geordi__'], ['HEAD /returns-value?__geordi__'], ['OPTIONS /schema?__geordi__'],
  ['POST /echo?__geordi__', 'application/json', '{"a":1}'], ['POST /echo?__geordi__', 'application/json', '{"a":'],
  ['POST /echo?__geordi__', 'application/x-www-form-urlencoded', 'a=1&b=%20'], ['POST /echo?__geordi__', 'text/plain', 'text'],
  ['POST /echo?__geordi__', 'application/unknown', 'text'], ['POST /echo?__geordi__'],
  ['POST /small?__geordi__', 'text/plain', 'more than ten bytes'],
  ['POST /multipart?__geordi__', `multipart/form-data; boundary=${boundary}`, form],
  ['POST /child/stream?__geordi__', 'application/octet-stream', 'x'.repeat(500_000)],
  ['POST /child/unread?__geordi__', 'application/octet-stream', 'x'.repeat(1000)]
]

const OPTIONS = { ajv: { customOptions: { removeAdditional: false } }, forceCloseConnections: true } as const

describe('a flagged request of someone who is no admin', () => {
  it('gets, byte for byte, what the app without geordi answers', async t => {
    const without = await startPlain(t, everything, OPTIONS)
    const { port, name } = await start(t, server.url, everything, { server: OPTIONS })
    const taker = await take(t, { url: server.url, name })
    for (const request of requests) await assertSameAnswer(without, port, request)
    // What an admin queues afterwards is the first that a worker gets.
    await ask(port, '/this?__geordi__')
    assert.equal((await taker.next()).request.url, '/this')
  })

  const noes: Record<string, (request: FastifyRequest) => unknown> = {
    throws: () => { throw new Error('no session') },
    rejects: async () => { throw new Error('no session') },
    'returns 1': () => 1,
    'returns a user': async () => ({ name: 'picard' }),
    'returns "true"': () => 'true',
    'returns nothing': () => {},
    'throws undefined': () => { throw undefined } // eslint-disable-line no-throw-literal
  }
  for (const [name, answersNo] of Object.entries(noes)) {
    it(`is any for whom isAdmin ${name}`, async t => {
      const { port } = await start(t, server.url, app => { app.get('/work', () => 'served') }, { isAdmin: answersNo as () => boolean })
      const answer = await ask(port, '/work?__geordi__')
      assert.equal(answer.status, 200)
      assert.equal(answer.text, 'served')
      assert.equal((await ask(port, '/__geordi__/AAAAAAAAAAAAAAAAAAAAAA')).headers['content-security-policy'], undefined)
    })
  }

  it('is answered by a websocket route as ever, flagged by an admin too', async t => {
    const websocket = createRequire(import.meta.url)('@fastify/websocket') as typeof import('@fastify/websocket').default
    for (const order of ['before', 'after']) {
      const { port } = await start(t, server.url, async app => {
        if (order === 'after') await app.register(websocket)
        app.get('/ws', { websocket: true }, socket => { socket.close(4001, 'seen') })
      }, order === 'before' ? { before: app => app.register(websocket) } : {})
      const answer = await raw(port, head('GET /ws?__geordi__ HTTP/1.1', 'Host: x', `${ADMIN[0]}: ${ADMIN[1]}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='),
        // A masked close frame, so that the server ends the connection.
        Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
      assert.match(answer, /^HTTP\/1\.1 101 /, order)
      assert.ok(answer.endsWith('seen'), order)
    }
  })
})
