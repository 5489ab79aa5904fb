import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Writable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { createGunzip, gzipSync } from 'node:zlib'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import { ADMIN, dial, head, queueServer, raw, readAll, start, take, until, type AppOptions } from './support.ts'

const server = await queueServer()
const admin = `${ADMIN[0]}: ${ADMIN[1]}`

const boundary = 'xxBOUNDARYxx'
const form = Buffer.concat([
  Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n`),
  Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`),
  randomBytes(300_000),
  Buffer.from(`\r\n--${boundary}--\r\n`)
])
const multipartType = `multipart/form-data; boundary=${boundary}`
const json = Buffer.from('{ "b":1.0,  "a":"\\u00e4",\n "a":2 }')

/** A POST's head; without a length the body has to be chunked. */
function post (type: string | undefined, length?: number, ...more: string[]): string {
  return head('POST /work?__geordi__ HTTP/1.1', 'Host: x', 'Connection: close', admin, ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`, ...more)
}

/** Chunked framing, a few sizes. */
function chunked (body: Buffer, sizes: number[]): Buffer {
  const parts: Buffer[] = []
  for (let at = 0, turn = 0; at < body.length; turn++) {
    const part = body.subarray(at, at + sizes[turn % sizes.length]!)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
    at += part.length
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

type Routes = (app: FastifyInstance) => unknown
const buffers: Routes = app => app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
const forms: Routes = app => app.register(formbody)
const unreadForms: Routes = app => app.register(multipart)
const readForms: Routes = app => app.register(multipart, { attachFieldsToBody: 'keyValues' })
const streams: Routes = app => app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
const gunzips: Routes = app => app.addHook('preParsing', async (_request, _reply, payload) => {
  // Fastify compares it with the content-length.
  const unzipped = Object.assign(createGunzip(), { receivedEncodedLength: 0 })
  payload.on('data', (chunk: Buffer) => { unzipped.receivedEncodedLength += chunk.length })
  return payload.pipe(unzipped)
})

async function work (t: TestContext, routes: Routes, options: Partial<AppOptions> = {}) {
  const seen: unknown[] = []
  const running = await start(t, server.url, async app => {
    await routes(app)
    app.addHook('preHandler', async request => { seen.push(request.body) })
    app.post('/work', async () => 'x')
  }, options)
  return { ...running, seen, taker: await take(t, { url: server.url, name: running.name }) }
}

describe('the captured body', () => {
  const large = randomBytes(900_000)
  const noise = gzipSync(randomBytes(3_000_000))
  const zipped = gzipSync(Buffer.from(JSON.stringify({ text: 'x'.repeat(100_000), noise: randomBytes(100_000).toString('hex') })))
  const cases: Array<[name: string, routes: Routes, bytes: Array<string | Buffer>, body: Buffer]> = [
    ['of JSON, spaces and all', () => {}, [post('application/json', json.length), json], json],
    ['of a form', forms, [post('application/x-www-form-urlencoded', 15), 'a=%20+&&b=&a=1%'], Buffer.from('a=%20+&&b=&a=1%')],
    ['of binary data', buffers, [post('application/octet-stream', large.length), large], large],
    ['in chunks', () => {}, [post('application/json'), chunked(json, [1, 3, 7])], json],
    ['in many large chunks', buffers, [post('application/octet-stream'), chunked(large, [10, 70_000])], large],
    ['that is compressed, where the app decompresses', gunzips, [post('application/json', zipped.length, 'Content-Encoding: gzip'), zipped], zipped],
    ['of a multipart form, read by the app', readForms, [post(multipartType, form.length), form], form],
    ['of a multipart form, left unread', unreadForms, [post(multipartType, form.length), form], form],
    ['of a multipart form in chunks, left unread', unreadForms, [post(multipartType), chunked(form, [50_000])], form],
    ['that is a stream, left unread', streams, [post('any/thing', large.length), large], large],
    ['that the app pipes where nobody reads', app => { gunzips(app); streams(app) }, [post('any/thing', noise.length), noise], noise],
    ['that the app waits for with `readable`', app => {
      streams(app)
      app.addHook('preHandler', async request => { (request.body as NodeJS.ReadableStream).on('readable', () => {}) })
    }, [post('any/thing', large.length), large], large],
    ['of length 0', () => {}, [post(undefined, 0)], Buffer.alloc(0)],
    ['that is empty in chunks', streams, [post('any/thing'), '0\r\n\r\n'], Buffer.alloc(0)]
  ]
  for (const [name, routes, bytes, body] of cases) {
    it(`${name} is the client's, byte for byte`, async t => {
      const { port, taker } = await work(t, routes)
      assert.match(await raw(port, ...bytes), /^HTTP\/1\.1 303 /)
      const { request } = await taker.next()
      assert.ok(body.equals(request.body), `${request.body.length} bytes instead of ${body.length}`)
    })
  }

  it('is what the app parses as well', async t => {
    const { port, seen } = await work(t, app => { gunzips(app) })
    const zip = gzipSync('{"a":1}')
    await raw(port, post('application/json', zip.length), zip)
    assert.deepEqual(seen, [{ a: 1 }])
  })

  it('has what followed it beside it, read by the app or not', async t => {
    const trailing = Buffer.from('3\r\nabc\r\n0\r\nX-Sum: 7\r\nx-latin: \xe4\r\n\r\n', 'latin1')
    for (const routes of [streams, unreadForms]) {
      const { port, taker } = await work(t, routes)
      await raw(port, post(multipartType, undefined, 'Trailer: X-Sum'), trailing)
      const { body, rawTrailers } = (await taker.next()).request
      assert.deepEqual([Buffer.from(body).toString(), rawTrailers], ['abc', ['X-Sum', '7', 'x-latin', '\xe4']])
    }
  })

  it('is empty where there is none', async t => {
    const { port, taker } = await work(t, app => { app.get('/get', async () => 'x') })
    assert.match(await raw(port, head('GET /get?__geordi__ HTTP/1.1', 'Host: x', 'Connection: close', admin)), /^HTTP\/1\.1 303 /)
    assert.equal((await taker.next()).request.body.length, 0)
  })
})

describe('a body that comes at its own pace', () => {
  // A hook of the app, before geordi, that waits for the given state of the request.
  const waits = (ready: (raw: IncomingMessage) => boolean): Partial<AppOptions> => ({
    before: app => app.addHook('onRequest', async request => until(() => ready(request.raw)))
  })

  it('is whole when it was there before geordi', async t => {
    const { port, taker, seen } = await work(t, () => {}, waits(raw => raw.complete))
    assert.match(await raw(port, post('application/json', json.length), json), /^HTTP\/1\.1 303 /)
    assert.ok(json.equals((await taker.next()).request.body))
    assert.deepEqual(seen, [{ b: 1, a: 2 }])
  })

  it('is whole when it was there before geordi and the app leaves it unread', async t => {
    const { port, taker } = await work(t, streams, waits(raw => raw.complete))
    assert.match(await raw(port, post('any/thing', 5), 'hello'), /^HTTP\/1\.1 303 /)
    assert.equal(Buffer.from((await taker.next()).request.body).toString(), 'hello')
  })

  it('is whole when one part was there before geordi and the others come later', async t => {
    const { port, taker } = await work(t, buffers, waits(raw => raw.readableLength > 0))
    const socket = await dial(port)
    socket.write(post('application/octet-stream', 9) + 'abc')
    let first = true
    await until(() => { const was = first; first = false; return !was })
    socket.write('def')
    setImmediate(() => socket.write('ghi'))
    assert.match(await readAll(socket), /^HTTP\/1\.1 303 /)
    assert.equal(Buffer.from((await taker.next()).request.body).toString(), 'abcdefghi')
  })

  it('is whole when it had filled the stream\'s buffer before geordi', async t => {
    const body = randomBytes(900_000)
    const { port, taker } = await work(t, buffers, waits(raw => raw.readableLength >= raw.readableHighWaterMark))
    assert.match(await raw(port, post('application/octet-stream', body.length), body), /^HTTP\/1\.1 303 /)
    assert.ok(body.equals((await taker.next()).request.body))
  })

  it('is refused, saying why, when the app had read it before geordi', async t => {
    const { port } = await work(t, streams, { before: app => app.addHook('onRequest', async request => { await once(request.raw.resume(), 'end') }) })
    const answer = await raw(port, post('any/thing', 5), 'hello')
    assert.match(answer, /^HTTP\/1\.1 500 /)
    assert.match(answer, /Register geordi before the plugin that reads it/)
  })

  for (const [name, routes] of [['reads', buffers], ['leaves unread', streams]] as const) {
    it(`queues nothing when the client goes away before its end, and the app ${name} it`, async t => {
      let arrived = false
      const { port, app, taker } = await work(t, app => {
        routes(app)
        app.addHook('onRequest', async () => { arrived = true })
      })
      const ended = new Promise<void>(resolve => app.server.once('connection', socket => socket.once('close', () => resolve())))
      const socket = await dial(port)
      socket.write(post('application/octet-stream', 100) + 'only this')
      await until(() => arrived)
      socket.destroy()
      await ended
      await raw(port, post('application/octet-stream', 5), 'whole')
      assert.equal(Buffer.from((await taker.next()).request.body).toString(), 'whole')
    })
  }

  it('queues nothing when the client has gone before geordi\'s hook', async t => {
    let arrived = false
    let log = ''
    const stream = new Writable({ write (chunk, _encoding, done) { log += String(chunk); done() } })
    const { port, taker } = await work(t, streams, {
      server: { logger: { level: 'warn', stream } },
      before: app => app.addHook('onRequest', async request => {
        arrived = true
        if (request.headers['content-length'] === '100') await until(() => request.raw.destroyed)
      })
    })
    const socket = await dial(port)
    socket.write(post('application/octet-stream', 100) + 'only this')
    await until(() => arrived)
    socket.destroy()
    await until(() => log.includes('The client went away before its body was complete'))
    await raw(port, post('application/octet-stream', 5), 'whole')
    assert.equal(Buffer.from((await taker.next()).request.body).toString(), 'whole')
  })
})
