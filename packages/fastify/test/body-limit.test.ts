import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import { ADMIN, ask, dial, head, queueServer, readAll, start, take, until, type Ask } from './support.ts'

const server = await queueServer()
const admin = `${ADMIN[0]}: ${ADMIN[1]}`
const MB = 1024 * 1024

function routes (app: FastifyInstance): void {
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addContentTypeParser('application/stream', (_request, payload, done) => done(null, payload))
  app.post('/work', async request => ({ size: (request.body as Buffer).length }))
}

const large = (size: number, options: Ask = {}): Ask => ({ method: 'POST', body: Buffer.alloc(size), ...options, headers: { 'content-type': 'application/octet-stream', ...options.headers } })

describe('a body over `bodyLimit`', () => {
  const limit = 1000

  for (const type of ['application/octet-stream', 'application/stream']) {
    for (const framing of ['declared', 'chunked']) {
      it(`${framing}, ${type}: 413 with the limit and the option's name`, async t => {
        const { port, name } = await start(t, server.url, routes, { bodyLimit: limit })
        const taker = await take(t, { url: server.url, name })
        const headers = { 'content-type': type, ...(framing === 'chunked' ? { 'transfer-encoding': 'chunked' } : {}) }
        for (const accept of ['application/json', 'text/html', '*/*']) {
          const answer = await ask(port, '/work?too-large&__geordi__', large(limit + 1, { headers, accept }))
          assert.equal(answer.status, 413)
          assert.match(answer.text, /1000 bytes/)
          assert.match(answer.text, /bodyLimit/)
          if (accept === 'application/json') assert.equal(JSON.parse(answer.text).code, 'GEORDI_BODY_TOO_LARGE')
          if (accept === 'text/html') assert.match(answer.headers['content-type']!, /^text\/html/)
        }
        const answer = await ask(port, '/work?just-right&__geordi__', large(limit, { headers }))
        assert.equal(answer.status, 303)
        assert.equal((await taker.next()).request.url, '/work?just-right')
      })
    }
  }

  it('tells a client that still sends', async t => {
    const { port } = await start(t, server.url, async app => {
      await app.register(multipart)
      app.post('/work', async () => 'x')
    }, { bodyLimit: 5 * MB })
    for (const framing of [{}, { 'transfer-encoding': 'chunked' }]) {
      for (let turn = 0; turn < 3; turn++) {
        const answer = await ask(port, '/work?__geordi__', large(20 * MB, { headers: { 'content-type': 'multipart/form-data; boundary=x', ...framing } }))
        assert.equal(answer.status, 413)
      }
    }
  })

  it('is served to others as ever', async t => {
    const { port } = await start(t, server.url, routes, { bodyLimit: limit })
    assert.equal((await ask(port, '/work?__geordi__', large(5000, { admin: false }))).text, '{"size":5000}')
    assert.equal((await ask(port, '/work', large(5000))).text, '{"size":5000}')
  })
})

/**
 * All taps together hold 64 MiB at most, so two bodies of 40 MiB fit one after the other only if the first was let go of.
 */
describe('the bytes held by all flagged requests', () => {
  const size = 40 * MB

  /** An app whose `capture` throws once the whole body is held: nothing of it goes through the queue. */
  async function holder (t: TestContext, more: (app: FastifyInstance) => unknown = () => {}) {
    return start(t, server.url, async app => {
      await more(app)
      routes(app)
      app.post('/throws', async () => { throw new Error('in the handler') })
    }, { bodyLimit: 100 * MB, server: { bodyLimit: 100 * MB }, capture: () => { throw new Error('held it all') } })
  }
  async function assertFree (port: number): Promise<void> {
    const answer = await ask(port, '/work?__geordi__', large(size))
    assert.match(answer.text, /held it all/, 'a body of 40 MiB is held')
  }

  it('are let go of after an error of geordi\'s', async t => {
    const { port } = await holder(t)
    await assertFree(port)
    await assertFree(port)
  })

  it('are let go of after a report was queued', async t => {
    const { port, name } = await start(t, server.url, routes, { bodyLimit: 100 * MB, server: { bodyLimit: 100 * MB } })
    for (let turn = 0; turn < 2; turn++) assert.equal((await ask(port, '/work?__geordi__', large(size))).status, 303)
    const taker = await take(t, { url: server.url, name })
    assert.equal((await taker.next()).request.body.length, size)
  })

  it('are let go of when the app serves or turns away who is no admin', async t => {
    const { port } = await holder(t)
    assert.equal((await ask(port, '/work?__geordi__', large(size, { admin: false }))).text, `{"size":${size}}`)
    assert.equal((await ask(port, '/throws?__geordi__', large(size, { admin: false }))).status, 500)
    assert.equal((await ask(port, '/unknown?__geordi__', large(size, { admin: false }))).status, 404)
    assert.equal((await ask(port, '/work?__geordi__', large(size, { admin: false, headers: { 'content-type': 'application/json' } }))).status, 400)
    await assertFree(port)
  })

  it('are none of a body that still comes when its sender is known to be no admin', async t => {
    let handling = false
    const { port } = await holder(t, app => app.post('/stream', async request => {
      handling = true
      let size = 0
      for await (const chunk of request.body as AsyncIterable<Buffer>) size += chunk.length
      return { size }
    }))
    const socket = await dial(port)
    const answer = readAll(socket)
    socket.write(head('POST /stream?__geordi__ HTTP/1.1', 'Host: x', 'Connection: close', 'Content-Type: application/stream', `Content-Length: ${size + 1}`))
    await until(() => handling)
    await new Promise(resolve => socket.write(Buffer.alloc(size), resolve))
    await assertFree(port)
    socket.write('x')
    assert.match(await answer, new RegExp(`"size":${size + 1}`))
  })

  it('are let go of when the answer comes before the body', async t => {
    const { port, app } = await holder(t, app => app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === undefined) return reply.code(401).send('who are you?')
    }))
    const socket = await dial(port)
    let answered = false
    socket.once('data', () => { answered = true })
    socket.write(head('POST /work?__geordi__ HTTP/1.1', 'Host: x', 'Content-Type: application/octet-stream', `Content-Length: ${size}`))
    await until(() => answered)
    socket.write(Buffer.alloc(size))
    // The next request on the same connection is answered when all of the first one's body has been read.
    socket.write(head('GET /unknown HTTP/1.1', 'Host: x', admin, 'Connection: close'))
    assert.match(await readAll(socket), /404 Not Found/)
    await assertFree(port)
    assert.ok(app.server.listening)
  })

  for (const type of ['application/octet-stream', 'application/stream']) {
    it(`are let go of when the client goes away in the middle, ${type}`, async t => {
      const { port, app } = await holder(t)
      let received = 0
      const gone = new Promise<void>(resolve => {
        app.server.once('request', request => {
          const push = request.push
          request.push = (chunk: Buffer | null) => {
            received += chunk?.length ?? 0
            return push.call(request, chunk)
          }
        })
        app.server.once('connection', socket => socket.once('close', () => resolve()))
      })
      const socket = await dial(port)
      socket.on('error', () => {})
      socket.write(head('POST /work?__geordi__ HTTP/1.1', 'Host: x', admin, `Content-Type: ${type}`, `Content-Length: ${size + 1}`))
      socket.write(Buffer.alloc(size))
      await until(() => received === size)
      socket.destroy()
      await gone
      await assertFree(port)
    })
  }

  it('are not more than 64 MiB: the next one is told to come again', async t => {
    const { port, app } = await holder(t)
    let received = 0
    app.server.on('request', request => {
      const push = request.push
      request.push = (chunk: Buffer | null) => {
        received += chunk?.length ?? 0
        return push.call(request, chunk)
      }
    })
    const first = await dial(port)
    const answer = readAll(first)
    first.write(head('POST /work?__geordi__ HTTP/1.1', 'Host: x', admin, 'Connection: close', 'Content-Type: application/octet-stream', `Content-Length: ${size + 1}`))
    first.write(Buffer.alloc(size))
    await until(() => received === size)
    const second = await ask(port, '/work?__geordi__', large(size))
    assert.equal(second.status, 413)
    assert.match(second.text, /Too many large flagged requests/)
    first.write('x')
    assert.match(await answer, /held it all/)
    await assertFree(port)
  })
})
