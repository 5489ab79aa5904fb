import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import type { CapturedRequest } from '@geordi/replay'
import { fixture, get, replayIn } from './support.ts'

process.env['TEST_PEM'] = dirname(fixture('cert.pem'))
const APP = fixture('wire.js')

/** As Node's HTTP/2 server gives a request's raw headers. */
function h2 (method: string, path: string, headers: string[] = [], body: Uint8Array = new Uint8Array()): CapturedRequest {
  return get(path, { method, httpVersion: '2.0', body, rawHeaders: [':method', method, ':path', path, ':scheme', 'https', ':authority', 'enterprise.example', ...headers] })
}

for (const mode of ['h2c', 'h2'] as const) {
  describe(`HTTP/2 (${mode})`, { concurrency: 3 }, () => {
    const body = randomBytes(100_000)
    const requests: Array<[string, CapturedRequest]> = [
      ['GET', h2('GET', '/work?b=2&a=1', ['accept', '*/*', 'x-dup', 'one', 'x-dup', 'two', 'cookie', 'a=1', 'cookie', 'b=2'])],
      ['POST', h2('POST', '/work', ['content-type', 'application/octet-stream'], body)],
      ['POST with trailers', { ...h2('POST', '/work', ['content-type', 'text/plain'], Buffer.from('engage')), rawTrailers: ['x-sum', '7'] }],
      ['POST without a body', h2('POST', '/work')],
      ['DELETE with a body', h2('DELETE', '/work', ['content-type', 'text/plain'], Buffer.from('all of it'))]
    ]
    for (const [name, request] of requests) {
      it(name, async () => {
        const { seen, run, profile } = await replayIn(APP, request, { args: [mode] })
        assert.equal(run.response!.statusCode, 200)
        const { method, url, rawHeaders, body } = seen
        assert.deepEqual({ method, url, body }, { method: request.method, url: request.url, body: createHash('sha256').update(request.body).digest('hex') })
        // Node's client sends the pseudo headers in its own order, and one field per name where it may.
        assert.deepEqual(lines(rawHeaders), lines(request.rawHeaders))
        assert.deepEqual(seen.rawTrailers, request.rawTrailers ?? [])
        assert.deepEqual([seen.ip, seen.remotePort], ['192.0.2.7', 1701])
        assert.ok(run.wallTime! > 0 && run.wallTime! < 30e6)
        assert.ok(profile.frames.some(frame => frame.name === 'work'))
      })
    }

    it('statuses, streams and what breaks', async () => {
      assert.equal((await replayIn(APP, h2('GET', '/throws'), { args: [mode] })).run.response!.statusCode, 500)
      assert.deepEqual((await replayIn(APP, h2('GET', '/stream'), { args: [mode] })).run.response, { statusCode: 200, bytes: 18, contentType: 'text/event-stream' })
      assert.equal((await replayIn(APP, h2('HEAD', '/work'), { args: [mode] })).run.response!.statusCode, 200)
      await assert.rejects(replayIn(APP, h2('GET', '/exits'), { args: [mode] }), { code: 'GEORDI_REPLAY_DIED', message: /exit code 7/ })
    })
  })
}

describe('HTTP/1.1 over TLS', { concurrency: 3 }, () => {
  for (const mode of ['https', 'h2']) {
    it(`to a server of ${mode}`, async () => {
      const rawHeaders = ['Host', 'enterprise.example', 'X-Dup', '1', 'x-dup', '2', 'Content-Length', '6']
      const { seen, run } = await replayIn(APP, get('/work', { method: 'POST', rawHeaders, body: Buffer.from('engage'), connection: { encrypted: true, remoteAddress: '192.0.2.7', remotePort: 1701 } }), { args: [mode] })
      assert.equal(run.response!.statusCode, 200)
      assert.deepEqual(seen.rawHeaders, rawHeaders)
      assert.deepEqual([seen.ip, seen.remotePort, seen.protocol], ['192.0.2.7', 1701, 'https'])
    })
  }
})

describe('an HTTP/2 server without Fastify', () => {
  it('that listens for streams only gets nothing else from us', async () => {
    const { run, output } = await replayIn(fixture('streams.js'), h2('GET', '/work'))
    assert.equal(run.response!.statusCode, 200)
    assert.deepEqual(output.told('listeners'), [{ request: 0, stream: 1 }])
    assert.ok(run.wallTime! >= 15_000, 'the handler\'s time')
  })
})

/** Headers as sorted lines; cookies may come in one field or several (RFC 9113, 8.2.3). */
function lines (rawHeaders: readonly string[]): string[] {
  const all = rawHeaders.flatMap((name, index) => index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : [])
  return all.sort()
}
