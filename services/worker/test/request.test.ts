import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import type { CapturedRequest } from '@geordi/replay'
import { fixture, get, replayIn, type Seen } from './support.ts'

const PLAIN = fixture('plain-http.cjs')
const FASTIFY = fixture('wire.js')

/** What the handler saw of a request, beside what was captured of it. */
async function assertSame (request: CapturedRequest, entry = PLAIN): Promise<void> {
  const { seen, run } = await replayIn(entry, request)
  assert.equal(run.response!.statusCode, 200)
  const { method, url, httpVersion, rawHeaders, rawTrailers, body } = seen
  assert.deepEqual({ method, url, httpVersion, rawHeaders, rawTrailers, body }, {
    method: request.method,
    url: request.url,
    httpVersion: request.httpVersion,
    rawHeaders: [...request.rawHeaders],
    rawTrailers: [...request.rawTrailers ?? []],
    body: createHash('sha256').update(request.body).digest('hex')
  })
}

describe('a request arrives as it was captured', { concurrency: 3 }, () => {
  it('headers in their order and case, with duplicates, strange names and Latin-1; none is added', async () => {
    await assertSame(get('/work', {
      rawHeaders: ['X-Dup', 'one', 'hOST', 'enterprise.example', 'x-dup', 'two', 'Cookie', 'a=1', 'Cookie', 'b=2', 'X-Latin', 'caf\xe9', '1', 'number', '__proto__', 'x', 'X-Empty', '']
    }))
  })

  it('the URL as it is spelled', async () => {
    await assertSame(get('/w/../a//b/%2e%2E/%C3%A9?b=2&a=1&&a=%20+%zz&=&c[]=;d'))
  })

  it('a body byte for byte, with its length', async () => {
    const body = randomBytes(300_000)
    await assertSame(get('/work', { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Length', String(body.length), 'content-encoding', 'gzip'] }))
  })

  it('a chunked body', async () => {
    await assertSame(get('/work', { method: 'POST', body: Buffer.from('a=1&b=2'), rawHeaders: ['Host', 'x', 'TRANSFER-encoding', 'Chunked', 'content-type', 'application/x-www-form-urlencoded'] }))
  })

  it('an empty chunked body', async () => {
    await assertSame(get('/work', { method: 'POST', rawHeaders: ['Host', 'x', 'Transfer-Encoding', 'chunked'] }))
  })

  it('what follows a chunked body', async () => {
    const rawHeaders = ['Host', 'x', 'Transfer-Encoding', 'chunked', 'Trailer', 'X-Sum']
    await assertSame(get('/work', { method: 'POST', body: Buffer.from('engage'), rawHeaders, rawTrailers: ['X-Sum', '7', 'x-latin', 'caf\xe9'] }))
    await assertSame(get('/work', { method: 'POST', rawHeaders, rawTrailers: ['X-Sum', '0'] }))
  })

  it('a POST without any length', async () => {
    await assertSame(get('/work', { method: 'POST' }))
    await assertSame(get('/work', { method: 'POST' }), FASTIFY)
  })

  it('a GET with a body', async () => {
    await assertSame(get('/work', { body: Buffer.from('engage'), rawHeaders: ['Host', 'x', 'Content-Length', '6'] }))
  })

  it('HTTP/1.0 without a host', async () => {
    await assertSame(get('/work', { httpVersion: '1.0', rawHeaders: ['User-Agent', 'ab'] }))
  })

  it('Expect: 100-continue', async () => {
    await assertSame(get('/work', { method: 'PUT', body: Buffer.from('engage'), rawHeaders: ['Host', 'x', 'Expect', '100-continue', 'Content-Length', '6'] }))
  })

  it('methods that few know', async () => {
    await assertSame(get('/work', { method: 'PROPFIND' }))
    await assertSame(get('/purge', { method: 'PURGE', body: Buffer.from('now'), rawHeaders: ['Host', 'x', 'Content-Length', '3'] }), FASTIFY)
  })

  it('Connection: close and keep-alive', async () => {
    await assertSame(get('/work', { rawHeaders: ['Host', 'x', 'Connection', 'close'] }))
    await assertSame(get('/work', { rawHeaders: ['Host', 'x', 'Connection', 'keep-alive', 'Keep-Alive', 'timeout=5'] }))
  })

  it('over HTTP/1.1 where the app speaks HTTP/2 in production alone', async () => {
    const { seen } = await replayIn(PLAIN, get('/work', { httpVersion: '2.0', rawHeaders: [':method', 'GET', ':path', '/work', ':scheme', 'https', ':authority', 'enterprise.example', 'accept', '*/*'] }))
    assert.deepEqual(seen.rawHeaders, ['host', 'enterprise.example', 'accept', '*/*'])
    // What is no length is no second request.
    const body = Buffer.from('GET /forged HTTP/1.1\r\nhost: x\r\n\r\n')
    const post = await replayIn(PLAIN, get('/work', { method: 'POST', httpVersion: '2.0', rawHeaders: [':method', 'POST', ':path', '/work', ':authority', 'x'], body, rawTrailers: ['x-sum', '7'] }))
    assert.deepEqual(post.output.told<Seen>('seen').map(({ url, body, rawTrailers }) => ({ url, body, rawTrailers })),
      [{ url: '/work', body: createHash('sha256').update(body).digest('hex'), rawTrailers: ['x-sum', '7'] }])
  })

  it('from its original address over its original protocol, also after a turn of the event loop', async () => {
    const { seen } = await replayIn(FASTIFY, get('/work'))
    assert.deepEqual([seen.ip, seen.remotePort, seen.protocol], ['192.0.2.7', 1701, 'http'])
    const encrypted = await replayIn(FASTIFY, get('/work', { connection: { encrypted: true, remoteAddress: '2001:db8::1', remoteFamily: 'IPv6', remotePort: 47 } }))
    assert.deepEqual([encrypted.seen.ip, encrypted.seen.remotePort, encrypted.seen.protocol], ['2001:db8::1', 47, 'https'])
  })
})

describe('an answer is read to its end', { concurrency: 3 }, () => {
  const answers: Array<[string, CapturedRequest, { statusCode: number, bytes?: number, contentType?: string }]> = [
    ['HEAD', get('/work', { method: 'HEAD' }), { statusCode: 200, bytes: 0 }],
    ['204', get('/no-content'), { statusCode: 204, bytes: 0 }],
    ['304', get('/not-modified'), { statusCode: 304, bytes: 0 }],
    ['a stream', get('/stream'), { statusCode: 200, bytes: 18, contentType: 'text/event-stream' }],
    ['without a length, to the connection\'s end', get('/bare'), { statusCode: 200, bytes: 13, contentType: 'text/plain' }],
    ['HTTP/1.0', get('/stream', { httpVersion: '1.0' }), { statusCode: 200, bytes: 18 }],
    ['103 and 102 before it', get('/early-hints'), { statusCode: 200, bytes: 6 }],
    ['404', get('/nowhere'), { statusCode: 404 }],
    ['500 of a handler that throws', get('/throws'), { statusCode: 500 }],
    ['400 of the server itself', get('/work', { rawHeaders: ['Host', 'x', 'Content-Length', 'many'] }), { statusCode: 400 }],
    ['an upgrade', get('/work', { rawHeaders: ['Host', 'x', 'Connection', 'Upgrade', 'Upgrade', 'subspace'] }), { statusCode: 101 }]
  ]
  for (const [name, request, expected] of answers) {
    it(name, async () => {
      const { run } = await replayIn(FASTIFY, request)
      assert.deepEqual({ ...run.response, ...expected }, run.response)
      assert.ok(run.wallTime! > 0 && run.wallTime! < 30e6, `${run.wallTime} µs are the request's`)
    })
  }

  it('of an app that refuses a large body before it has read it', async () => {
    const body = Buffer.alloc(40_000_000, 'x')
    const request = get('/refuse', { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Length', String(body.length), 'Connection', 'close'] })
    const { run } = await replayIn(FASTIFY, request)
    assert.equal(run.response!.statusCode, 413)
  })

  it('or it is an error, when the app breaks it off', async () => {
    await assert.rejects(replayIn(FASTIFY, get('/broken')), { name: 'WorkerError', code: 'GEORDI_REPLAY_BROKEN' })
  })

  it('or the process\'s end is, with its last words', async () => {
    await assert.rejects(replayIn(FASTIFY, get('/exits')), { code: 'GEORDI_REPLAY_DIED', message: /exit code 7 before the request did\.$/, output: /abandon ship/ })
    await assert.rejects(replayIn(FASTIFY, get('/crashes')), { code: 'GEORDI_REPLAY_DIED', message: /exit code 1 before the request did\.$/, output: /hull breach/ })
  })
})
