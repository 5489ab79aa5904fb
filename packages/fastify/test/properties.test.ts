import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import Fastify from 'fastify'
import { geordi, GeordiError, type GeordiOptions } from '@geordi/fastify'
import { Replays, type CapturedRequest } from '@geordi/replay'
import { atEnd, head, queueServer, raw, SECRET, start, until } from './support.ts'

const server = await queueServer()

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_!#$%&\'*+.^`|~'), minLength: 1, maxLength: 12 })
/** What may stand in a header's value on the wire, without the space around it that is not the value's. */
const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter(code => code !== 0x7f).map(code => String.fromCharCode(code)), maxLength: 40 })
  .map(text => text.replace(/^[ \t]+|[ \t]+$/g, ''))
const characters = (most: number) => fc.string({ unit: fc.integer({ min: 0x21, max: most }).filter(code => code !== 0x7f && code !== 0x23).map(code => String.fromCharCode(code)), maxLength: 60 })
/** Node refuses bytes above 0x7f in a request line; now and then one is tried. */
const query = fc.oneof({ weight: 20, arbitrary: characters(0x7e) }, { weight: 1, arbitrary: characters(0xff) })
const sent = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  before: query,
  after: query,
  headers: fc.array(fc.tuple(token.map(name => `X-${name}`), value), { maxLength: 8 }),
  body: fc.uint8Array({ maxLength: 3000 }).map(array => Buffer.from(array))
})

describe('any flagged request', () => {
  it('reaches the worker byte for byte, or is refused with a reason', { timeout: 120_000 }, async t => {
    const received = new Map<string, CapturedRequest>()
    const { port, name } = await start(t, server.url, app => {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      app.all('/*', async () => 'the handler')
    }, { isAdmin: () => true, bodyLimit: 2500, maxOpenPerAdmin: 1000 })
    const worker = await Replays.open({ url: server.url, name, secret: SECRET, role: 'worker' })
    const consumer = await worker.consume(async ({ id, request }) => { received.set(id, request) }, { onError: () => {} })
    atEnd(t, async () => {
      await consumer.close()
      await worker.close()
    })
    let captured = 0
    await fc.assert(fc.asyncProperty(sent, async ({ method, before, after, headers, body }) => {
      const hasBody = method !== 'GET' && method !== 'HEAD'
      const fields: Array<[string, string]> = [
        ['Host', 'x'], ['connection', 'close'], ['Accept', 'application/json'], ...headers,
        ...(hasBody ? [['Content-Type', 'application/x-any'], ['Content-Length', String(body.length)]] as Array<[string, string]> : [])
      ]
      const answer = await raw(port, head(`${method} /work?${before}&__geordi__&${after} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)), ...(hasBody ? [body] : []))
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? []
      assert.doesNotMatch(answer, /the handler/)
      if (hasBody && body.length > 2500) return assert.equal(status, '413', answer)
      if (method === 'HEAD' && status === '202') return
      // Node's parser, or Fastify's router, of what is no URL.
      if (/[^\x21-\x7e]/.test(before + after)) return assert.equal(status, '400')
      assert.equal(status, '202', answer)
      const { id } = JSON.parse(answer.slice(answer.indexOf('{'))) as { id: string }
      await until(() => received.has(id))
      const request = received.get(id)!
      captured++
      assert.equal(request.method, method)
      assert.equal(request.url, `/work?${before}&${after}`)
      assert.deepEqual(request.rawHeaders, fields.flat())
      assert.deepEqual(Buffer.from(request.body), hasBody ? body : Buffer.alloc(0))
    }), { numRuns: 60 })
    assert.ok(captured > 10, 'or this shows nothing')
  })
})

describe('any options', () => {
  const good = { isAdmin: () => true, secret: SECRET, queue: { url: server.url } }
  const names = ['isAdmin', 'secret', 'queue', 'identify', 'capture', 'restore', 'prefix', 'parameter', 'bodyLimit', 'retention', 'retentionCount', 'retentionBytes', 'maxQueueTime', 'maxOpenPerAdmin', 'maxQueued', 'hide', 'audit'] as const
  const anything = fc.anything({ withBigInt: true, withNullPrototype: true })

  it('are taken, or refused by an error that names one of them', async () => {
    const one = fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), fc.oneof(anything, fc.string().map(text => `/${text}`)))
    await fc.assert(fc.asyncProperty(one, async ([name, value]) => {
      const app = Fastify()
      try {
        await app.register(geordi, { ...good, [name]: value } as unknown as GeordiOptions)
      } catch (error) {
        const { code, message } = error as GeordiError
        assert.equal(code, 'GEORDI_OPTION_INVALID', String(error))
        assert.ok(message.startsWith(`Option \`${name}`), message)
      } finally {
        await app.close()
      }
    }))
  })
})
