import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectHttp2, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { geordi } from '@geordi/fastify'
import { REPORT, type CapturedRequest } from '@geordi/replay'
import { ADMIN, atEnd, head, isAdmin, PATIENCE, queueServer, raw, SECRET, start, take, unique, type AppOptions } from './support.ts'

const server = await queueServer()
const admin = `${ADMIN[0]}: ${ADMIN[1]}`

/** Captures what the given bytes are. */
async function capture (t: TestContext, bytes: string, options: Partial<AppOptions> = {}, routes: (app: FastifyInstance) => unknown = () => {}): Promise<CapturedRequest> {
  const { port, name } = await start(t, server.url, async app => {
    await routes(app)
    app.all('/*', async () => 'x')
  }, options)
  const taker = await take(t, { url: server.url, name })
  const answer = await raw(port, bytes)
  assert.match(answer, /^HTTP\/1\.1 (303|202) /)
  return (await taker.next()).request
}

describe('the captured URL', () => {
  const urls: Array<[sent: string, captured: string]> = [
    ['/x?__geordi__', '/x'],
    ['/x?__geordi__=1', '/x'],
    ['/x?__geordi__=', '/x'],
    ['/x?__geordi__&a=1', '/x?a=1'],
    ['/x?a=1&__geordi__&b=2', '/x?a=1&b=2'],
    ['/x?a=1&b=2&__geordi__', '/x?a=1&b=2'],
    ['/x?__geordi__&a=1&__geordi__=2', '/x?a=1'],
    ['/x?b=2&a=1&b=3&a=&c&__geordi__', '/x?b=2&a=1&b=3&a=&c'],
    ['/x?a=%20&b=+&c=%e4%C3%A4&__geordi__', '/x?a=%20&b=+&c=%e4%C3%A4'],
    ['/x?a&&b&__geordi__', '/x?a&&b'],
    ['/x?&__geordi__', '/x?'],
    ['/x?a=?&__geordi__&/=%26', '/x?a=?&/=%26'],
    ['/x?a=__geordi__&__geordi__&x__geordi__&__geordi__x', '/x?a=__geordi__&x__geordi__&__geordi__x'],
    ['/__geordi__x/y%20z?__geordi__', '/__geordi__x/y%20z'],
    ['//double//slash?__geordi__', '//double//slash'],
    ['/UPPER/%2F/./..;v=1?__geordi__', '/UPPER/%2F/./..;v=1'],
    ['/x/?__geordi__', '/x/'],
    ['http://elsewhere:81/x?a=1&__geordi__', 'http://elsewhere:81/x?a=1']
  ]
  it('has lost the flag and nothing else', async t => {
    const { port, name } = await start(t, server.url, app => { app.get('/*', async () => 'x') })
    const taker = await take(t, { url: server.url, name })
    for (const [sent, captured] of urls) {
      assert.match(await raw(port, head(`GET ${sent} HTTP/1.1`, 'Host: x', 'Connection: close', admin)), /^HTTP\/1\.1 303 /, sent)
      assert.equal((await taker.next()).request.url, captured, sent)
    }
  })

  it('flags nothing when the name is only part of another, or encoded', async t => {
    const { port } = await start(t, server.url, app => { app.get('/*', async () => 'served') })
    for (const path of ['/x?a=__geordi__', '/x?__geordi__x', '/x?x__geordi__', '/x?%5F_geordi__', '/__geordi__x', '/x?__GEORDI__']) {
      assert.match(await raw(port, head(`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', admin)), /served$/, path)
    }
  })

  it('is the client\'s and not what the app\'s rewriteUrl makes of it', async t => {
    const request = await capture(t, head('GET /v1/x?__geordi__&a HTTP/1.1', 'Host: x', 'Connection: close', admin), {
      server: { rewriteUrl: request => request.url!.replace('/v1', '').split('?')[0]! }
    })
    assert.equal(request.url, '/v1/x?a')
  })

  it('is found without regard to case and slashes where the app wants that', async t => {
    const request = await capture(t, head('GET /API/Thing/?__geordi__ HTTP/1.1', 'Host: x', 'Connection: close', admin),
      { server: { routerOptions: { caseSensitive: false, ignoreTrailingSlash: true } } },
      app => app.get('/api/thing', async () => 'x'))
    assert.equal(request.url, '/API/Thing/')
  })
})

describe('the captured head and connection', () => {
  it('keeps the headers\' order, case and duplicates', async t => {
    const request = await capture(t, head('GET /x?__geordi__ HTTP/1.1', 'hOST: example:80', 'X-Twice: 1', admin, 'x-twice:2', 'Cookie: a=1', 'Cookie: b=2', 'X-Empty:', 'X-Latin: \xe4', 'connection: close'))
    assert.deepEqual(request.rawHeaders, ['hOST', 'example:80', 'X-Twice', '1', ...ADMIN, 'x-twice', '2', 'Cookie', 'a=1', 'Cookie', 'b=2', 'X-Empty', '', 'X-Latin', '\xe4', 'connection', 'close'])
    assert.equal(request.method, 'GET')
    assert.equal(request.httpVersion, '1.1')
  })

  it('keeps HTTP/1.0', async t => {
    const request = await capture(t, head('GET /x?__geordi__ HTTP/1.0', admin))
    assert.equal(request.httpVersion, '1.0')
    assert.deepEqual(request.rawHeaders, [...ADMIN])
  })

  for (const trustProxy of [false, true]) {
    it(`keeps the socket's own addresses, trustProxy ${trustProxy}`, async t => {
      const { port, name } = await start(t, server.url, app => { app.get('/x', async () => 'x') }, {
        server: { trustProxy },
        isAdmin: request => isAdmin(request) && request.ip === (trustProxy ? '203.0.113.7' : '127.0.0.1')
      })
      const taker = await take(t, { url: server.url, name })
      const socket = connect({ host: '127.0.0.1', port })
      await once(socket, 'connect')
      const { localPort } = socket
      const before = Date.now()
      socket.resume().write(head('GET /x?__geordi__ HTTP/1.1', 'Host: x', 'X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Proto: https', admin))
      const { connection, capturedAt } = (await taker.next()).request
      assert.deepEqual(connection, { encrypted: false, remoteAddress: '127.0.0.1', remotePort: localPort!, remoteFamily: 'IPv4', localAddress: '127.0.0.1', localPort: port })
      assert.ok(capturedAt >= before && capturedAt <= Date.now())
      socket.destroy()
    })
  }

  it('says that a connection was encrypted', { skip: spawnSync('openssl', ['version']).status !== 0 && 'needs openssl on the PATH' }, async t => {
    const { key, cert } = certificate()
    const { port, name } = await start(t, server.url, app => { app.get('/x', async request => request.protocol) }, { server: { https: { key, cert } } as object })
    const taker = await take(t, { url: server.url, name })
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    socket.resume().write(head('GET /x?__geordi__ HTTP/1.1', 'Host: x', admin))
    assert.equal((await taker.next()).request.connection.encrypted, true)
    socket.destroy()
  })
})

describe('over HTTP/2', () => {
  async function http2 (t: TestContext, routes: (app: FastifyInstance) => unknown, options: object = {}) {
    const name = unique()
    const app = Fastify({ http2: true }) as unknown as FastifyInstance
    atEnd(t, () => app.close())
    await app.register(geordi, { isAdmin, secret: SECRET, queue: { url: server.url, name, timeout: PATIENCE }, ...options })
    await routes(app)
    await app.listen({ host: '127.0.0.1', port: 0 })
    const session = connectHttp2(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
    atEnd(t, () => session.destroy())
    const send = async (method: string, path: string, body?: Buffer) => {
      const stream = session.request({ ':method': method, ':path': path, authorization: 'picard', ...(body === undefined ? {} : { 'content-type': 'application/octet-stream' }) }, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      const [headers] = await once(stream, 'response') as [IncomingHttpHeaders & IncomingHttpStatusHeader]
      let text = ''
      for await (const chunk of stream.setEncoding('utf8')) text += chunk
      return { status: headers[':status'], headers, text }
    }
    return { app, session, send, taker: await take(t, { url: server.url, name }) }
  }
  const binary = (app: FastifyInstance) => {
    app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.all('/x', async request => ({ size: (request.body as Buffer)?.length }))
    app.post('/unread', { config: {} }, async () => 'x')
  }

  it('captures GET and POST, head and body, and gives the report', async t => {
    const { send, taker } = await http2(t, binary)
    const { status, headers: { location } } = await send('GET', '/x?__geordi__&a')
    assert.equal(status, 303)
    const task = await taker.next()
    const get = task.request
    assert.equal(get.httpVersion, '2.0')
    assert.equal(get.url, '/x?a')
    assert.equal(get.rawHeaders[get.rawHeaders.indexOf(':path') + 1], '/x?a')
    assert.equal(get.connection.remoteAddress, '127.0.0.1')
    assert.equal(get.connection.encrypted, false)
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index * 7))
    assert.equal((await send('POST', '/x?__geordi__', body)).status, 303)
    assert.ok(body.equals((await taker.next()).request.body))
    await task.claim()
    await task.attach(REPORT, Buffer.from('%PDF-'))
    await task.update({ state: 'done' })
    const report = await send('GET', location!)
    assert.deepEqual([report.status, report.headers['content-type'], report.text], [200, 'application/pdf', '%PDF-'])
  })

  it('captures a body that the app leaves unread', async t => {
    const { send, taker } = await http2(t, app => {
      app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
      app.post('/unread', async () => 'x')
    })
    const body = Buffer.alloc(300_000, 'b')
    assert.equal((await send('POST', '/unread?__geordi__', body)).status, 303)
    assert.ok(body.equals((await taker.next()).request.body))
  })

  it('serves a non-admin as ever and answers 413 to an admin\'s large body', async t => {
    let admin = false
    const { send } = await http2(t, binary, { bodyLimit: 1000, isAdmin: () => admin })
    assert.equal((await send('POST', '/x?__geordi__', Buffer.alloc(5000))).text, '{"size":5000}')
    admin = true
    const answer = await send('POST', '/x?__geordi__', Buffer.alloc(5000))
    assert.equal(answer.status, 413)
    assert.match(answer.text, /bodyLimit/)
  })

  it('queues nothing of a body that was broken off', async t => {
    let asked: (request: FastifyRequest) => void
    const reached = new Promise<FastifyRequest>(resolve => { asked = resolve })
    const { session, send, taker } = await http2(t, app => {
      app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
      app.post('/unread', async () => 'x')
    }, { isAdmin: (request: FastifyRequest) => { asked(request); return true } })
    const stream = session.request({ ':method': 'POST', ':path': '/unread?broken&__geordi__', 'content-type': 'application/octet-stream' })
    stream.on('error', () => {}).write('half of it')
    await reached
    stream.destroy(new Error('gone'))
    assert.equal((await send('POST', '/unread?whole&__geordi__', Buffer.from('all'))).status, 303)
    assert.equal((await taker.next()).request.url, '/unread?whole')
  })
})

/** A self-signed certificate, made for the test. */
function certificate (): { key: string, cert: string } {
  const out = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-keyout', '-', '-out', '-'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const block = (name: string) => out.slice(out.indexOf(`-----BEGIN ${name}`), out.indexOf('-----', out.indexOf(`-----END ${name}`) + 5) + 5)
  return { key: block('PRIVATE KEY'), cert: block('CERTIFICATE') }
}
