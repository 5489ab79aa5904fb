import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import { BodyTap } from '../src/body-tap.ts'
import { ADMIN, ask, dial, head, isAdmin, queueServer, readAll, start, take, until, type Ask } from './support.ts'

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

describe('the bytes held by flagged requests', { timeout: 60_000 }, () => {
  const size = 40 * MB

  /** An app whose `capture` throws once the whole body is held: nothing of it goes through the queue. */
  async function holder (t: TestContext, more: (app: FastifyInstance) => unknown = () => {}, bodyLimit = 60 * MB) {
    const seen = { most: 0 }
    const running = await start(t, server.url, async app => {
      await more(app)
      app.addHook('preHandler', async () => { seen.most = Math.max(seen.most, BodyTap.held) })
      routes(app)
      app.post('/throws', async () => { throw new Error('in the handler') })
    }, { bodyLimit, server: { bodyLimit: 100 * MB }, capture: () => { throw new Error('held it all') } })
    return { ...running, seen }
  }

  const nothingHeld = () => until(() => BodyTap.held === 0)

  async function assertTakes (port: number, length = size): Promise<void> {
    assert.match((await ask(port, '/work?__geordi__', large(length))).text, /held it all/)
  }

  it('are let go of after an error of geordi\'s', async t => {
    const { port, seen } = await holder(t)
    await assertTakes(port)
    assert.equal(seen.most, size)
    await nothingHeld()
  })

  it('are let go of after a report was queued', async t => {
    const { port, name } = await start(t, server.url, routes)
    assert.equal((await ask(port, '/work?__geordi__', large(MB / 2))).status, 303)
    await nothingHeld()
    const taker = await take(t, { url: server.url, name })
    assert.equal((await taker.next()).request.body.length, MB / 2)
  })

  it('are let go of when the app serves or turns away who is no admin', async t => {
    const { port } = await holder(t)
    assert.equal((await ask(port, '/work?__geordi__', large(size, { admin: false }))).text, `{"size":${size}}`)
    assert.equal((await ask(port, '/throws?__geordi__', large(size, { admin: false }))).status, 500)
    assert.equal((await ask(port, '/unknown?__geordi__', large(size, { admin: false }))).status, 404)
    assert.equal((await ask(port, '/work?__geordi__', large(size, { admin: false, headers: { 'content-type': 'application/json' } }))).status, 400)
    await nothingHeld()
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
    assert.equal(BodyTap.held, 0)
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
    await nothingHeld()
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
      await nothingHeld()
    })
  }

  /** A flagged upload of 40 MiB that lacks its last byte, as the app has received it. */
  async function unfinished (port: number, app: FastifyInstance, ...headers: string[]) {
    let received = 0
    app.server.once('request', request => {
      const push = request.push
      request.push = (chunk: Buffer | null) => {
        received += chunk?.length ?? 0
        return push.call(request, chunk)
      }
    })
    const socket = await dial(port)
    const answer = readAll(socket)
    socket.write(head('POST /work?__geordi__ HTTP/1.1', 'Host: x', 'Connection: close', `Content-Length: ${size + 1}`, ...headers))
    socket.write(Buffer.alloc(size))
    await until(() => received === size)
    return { finish: () => { socket.write('x'); return answer } }
  }

  const bytes = 'Content-Type: application/octet-stream'

  it('are 64 MiB: the oldest body goes, so that who fills them and waits keeps no admin from a report', async t => {
    const { port, app } = await holder(t)
    const nobody = await unfinished(port, app, bytes)
    const first = await unfinished(port, app, bytes, admin)
    await assertTakes(port)
    assert.match(await first.finish(), /413[^]*Too many large flagged requests/)
    assert.match(await nobody.finish(), new RegExp(`"size":${size + 1}`), 'the app serves who is no admin as ever')
  })

  it('are not an admin\'s any longer once it is known who sent them', async t => {
    let known = false
    const { port, app } = await start(t, server.url, routes, {
      bodyLimit: 60 * MB,
      server: { bodyLimit: 100 * MB },
      isAdmin: request => { known ||= isAdmin(request); return isAdmin(request) },
      capture: () => { throw new Error('held it all') }
    })
    // Left unread by the app, so that the rest of the body comes after the decision.
    const first = await unfinished(port, app, 'Content-Type: application/stream', admin)
    await until(() => known)
    for (let turn = 0; turn < 2; turn++) await assertTakes(port)
    assert.match(await first.finish(), /held it all/)
  })

  it('are as many as `bodyLimit`, where that is more', async t => {
    const { port } = await holder(t, () => {}, 100 * MB)
    await assertTakes(port, 80 * MB)
  })

  it('take no more memory in the smallest chunks', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    // The objects of kept chunks are there, and nothing of the bodies that earlier tests may have left.
    const heap = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    const request = new IncomingMessage(new Socket()).resume()
    const tap = new BodyTap(request, MB)
    const before = heap()
    for (let sent = 0; sent < MB / 4; sent++) {
      request.push(Buffer.alloc(1, sent))
      if (sent % 1000 === 0) await setImmediate()
    }
    await setImmediate()
    const grown = heap() - before
    request.push(null)
    assert.ok(grown < 8 * MB, `${grown} bytes for ${MB / 4}`)
    assert.ok((await tap.whole()).equals(Buffer.from(Array.from({ length: MB / 4 }, (_, index) => index))))
    tap.release()
  })
})
