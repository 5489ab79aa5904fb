import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { createServer, METHODS, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createSealer, decodeCapture, encodeCapture, ReplayError } from '@geordi/replay'
import { numeric, parseCommandLine, UsageError } from '../src/command-line.ts'
import { WorkerError } from '../src/errors.ts'
import { sendRequest } from '../src/send-request.ts'
import { completeOptions, type WorkerOptions } from '../src/worker-options.ts'
import { SECRET } from './queue.ts'
import { get, temporary } from './support.ts'

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_!#$%&\'*+.^`|~'), minLength: 1, maxLength: 12 }).map(name => `x${name}`)
/** What Node's parser gives of a header's value. */
const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter(code => code !== 0x7f).map(code => String.fromCharCode(code)), maxLength: 40 })
  .map(text => text.replace(/^[ \t]+|[ \t]+$/g, ''))
const fields = fc.array(fc.tuple(token, value), { maxLength: 8 }).map(pairs => pairs.flat())
const path = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map(code => String.fromCharCode(code)), maxLength: 60 }).map(text => `/${text}`)
const captured = fc.record({
  // CONNECT is no request for an app.
  method: fc.constantFrom(...METHODS.filter(method => method !== 'CONNECT')),
  url: path,
  headers: fields,
  body: fc.uint8Array({ maxLength: 3000 }).map(array => Buffer.from(array)),
  framing: fc.constantFrom('none', 'length', 'chunked'),
  rawTrailers: fields
}).map(({ headers, body, framing, rawTrailers, ...head }) => ({
  ...head,
  body: framing === 'none' ? Buffer.alloc(0) : body,
  rawHeaders: ['Host', 'x', ...headers, ...framing === 'length' ? ['Content-Length', String(body.length)] : framing === 'chunked' ? ['transfer-Encoding', 'chunked'] : []],
  ...framing === 'chunked' && rawTrailers.length > 0 ? { rawTrailers } : {}
}))

describe('any captured request', () => {
  it('arrives at the app byte for byte, and alone, after its way through the seal', async t => {
    const sealer = createSealer(SECRET)
    const arrived: Array<[IncomingMessage, Buffer]> = []
    const server = createServer({ requireHostHeader: false }, (request, response) => {
      buffer(request).then(body => {
        arrived.push([request, body])
        response.end('done')
      }, () => {})
    })
    const socketPath = join(mkdtempSync(join(temporary, 'any-')), 'socket')
    await once(server.listen(socketPath), 'listening')
    t.after(() => server.close())
    await fc.assert(fc.asyncProperty(captured, async parts => {
      const request = decodeCapture(sealer.open('id', 'capture', sealer.seal('id', 'capture', encodeCapture(get(parts.url, parts)))))
      const { statusCode } = await sendRequest(request, { socketPath, protocol: 'http', signal: new AbortController().signal })
      assert.equal(statusCode, 200)
      const [first, ...others] = arrived.splice(0)
      assert.deepEqual(others, [])
      const [seen, body] = first!
      assert.deepEqual([seen.method, seen.url, seen.rawHeaders, seen.rawTrailers], [parts.method, parts.url, parts.rawHeaders, parts.rawTrailers ?? []])
      assert.ok(parts.body.equals(body))
    }))
  })
})

describe('any options of a worker', () => {
  it('are taken, or refused by an error that names one of them', () => {
    const names = ['queueUrl', 'queueName', 'secret', 'concurrency', 'interval', 'waits', 'startTimeout', 'closeTimeout', 'limit', 'reportLimit', 'heapLimit', 'grace'] as const
    const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withMap: true })
    fc.assert(fc.property(fc.oneof(fc.constantFrom(...names), fc.string()), anything, (name, wrong) => {
      try {
        const settings = completeOptions({ queueUrl: 'redis://127.0.0.1:1', secret: SECRET, [name]: wrong } as WorkerOptions)
        assert.ok((names as readonly string[]).includes(name) || wrong === undefined, 'what is no option is refused')
        for (const [given, least] of [['concurrency', 1], ['interval', 50], ['limit', 1], ['grace', 0]] as const) {
          const number = settings[given]
          assert.ok(number === undefined || (Number.isSafeInteger(number) && number >= least), given)
        }
      } catch (error) {
        if (!(error instanceof WorkerError || error instanceof ReplayError)) throw error
        assert.equal(error.code, 'GEORDI_OPTION_INVALID')
        assert.match(error.message, /^(Option `|The (secret|queue's URL) is missing)/)
      }
    }))
  })

  it('are read from any command line, or refused as such', () => {
    const known = { queue: { type: 'string' }, limit: { type: 'string' }, 'no-waits': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
    const argument = fc.oneof(fc.string(), fc.constantFrom('--', '--queue', '--limit', '--limit=', '--no-waits', '--no-waits=1', '-h', '-hx', '--__proto__', '--limit=1e3', 'app.js'))
    fc.assert(fc.property(fc.array(argument), args => {
      try {
        const { positionals, values, appArgs } = parseCommandLine(args, known)
        for (const name of Object.keys(values)) assert.ok(name in known)
        assert.ok(positionals.every(one => args.includes(one)))
        const end = args.indexOf('--')
        assert.deepEqual(appArgs, end === -1 ? [] : args.slice(end + 1))
        const limit = numeric(values['limit'])
        assert.ok(limit === undefined || typeof limit === 'number')
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
      }
    }))
  })
})
