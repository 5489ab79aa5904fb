import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createSealer, decodeCapture, encodeCapture, ReplayError, Replays, type CapturedRequest } from '@geordi/replay'

const SECRET = 'a secret of at least 32 characters'
const sealer = createSealer(SECRET)

const bytes = fc.uint8Array({ maxLength: 2000 }).map(array => Buffer.from(array))
/** What Node makes of a header's bytes: latin-1. */
const wireText = fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array).toString('latin1'))
const anyText = fc.string({ unit: 'binary', maxLength: 200 })

const capturedRequest: fc.Arbitrary<CapturedRequest> = fc.record({
  method: fc.oneof(fc.constantFrom('GET', 'POST', 'PROPFIND', 'M-SEARCH'), wireText),
  url: wireText,
  httpVersion: fc.constantFrom('1.0', '1.1', '2.0'),
  rawHeaders: fc.array(wireText),
  body: bytes,
  rawTrailers: fc.array(wireText),
  connection: fc.record({ encrypted: fc.boolean(), remoteAddress: anyText, remotePort: fc.nat(65_535) }, { requiredKeys: ['encrypted'] }),
  capturedAt: fc.nat(),
  by: anyText,
  shownUrl: anyText,
  context: fc.jsonValue(),
  session: fc.record({ id: anyText, data: anyText })
}, { requiredKeys: ['method', 'url', 'httpVersion', 'rawHeaders', 'body', 'connection', 'capturedAt'] }) as fc.Arbitrary<CapturedRequest>

/** As it is after JSON: no -0, no prototype of the generator's. */
const asJson = (request: CapturedRequest) => ({ ...JSON.parse(JSON.stringify({ ...request, body: undefined })), body: Buffer.from(request.body) })

describe('any captured request', () => {
  it('comes out of its seal as it went in, byte for byte', () => {
    fc.assert(fc.property(capturedRequest, anyText, anyText, (request, id, purpose) => {
      assert.deepEqual(decodeCapture(sealer.open(id, purpose, sealer.seal(id, purpose, encodeCapture(request)))), asJson(request))
    }))
  })

  it('opens for its own id and purpose only, and in one piece only', () => {
    const flip = fc.record({ at: fc.nat(), bit: fc.nat(7) })
    fc.assert(fc.property(bytes, anyText, anyText, anyText, flip, (content, id, purpose, other, { at, bit }) => {
      const sealed = sealer.seal(id, purpose, content)
      const refused = (bytes: Uint8Array, asId = id, asPurpose = purpose) =>
        assert.throws(() => sealer.open(asId, asPurpose, bytes), { name: 'ReplayError', code: 'GEORDI_SEAL_BROKEN' })
      const altered = Buffer.from(sealed)
      altered[at % altered.length]! ^= 1 << bit
      refused(altered)
      refused(sealed.subarray(0, at % sealed.length))
      refused(Buffer.concat([sealed, Buffer.from([0])]))
      if (other !== id) refused(sealed, other)
      if (other !== purpose) refused(sealed, id, other)
    }))
  })

  it('shows nothing of itself through the seal', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 8 }), text => {
      assert.ok(!sealer.seal('id', 'purpose', Buffer.from(text)).includes(text))
      assert.ok(!sealer.pseudonym(text).includes(text))
    }))
  })

  it('is read from nothing else: other bytes are refused with a reason', () => {
    fc.assert(fc.property(fc.oneof(bytes, capturedRequest.chain(request => {
      const encoded = encodeCapture(request)
      // The body's length is the rest, so what is cut there is the seal's to find.
      return fc.nat(encoded.readUInt32BE(0) + 3).map(end => encoded.subarray(0, end))
    })), encoded => {
      assert.throws(() => decodeCapture(encoded), { name: 'ReplayError', code: 'GEORDI_CAPTURE_UNREADABLE' })
    }))
  })
})

describe('any options of the queue', () => {
  const good = { url: 'redis://127.0.0.1:1', secret: SECRET, role: 'web' } as const
  const numbers = ['retention', 'retentionCount', 'retentionBytes', 'maxQueueTime', 'maxOpenPerAdmin', 'maxQueued'] as const

  it('are taken, or refused by an error that names one of them', async () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withMap: true })
    const options = fc.record({ url: anything, name: anything, secret: anything, ...Object.fromEntries(numbers.map(name => [name, anything])) }, { requiredKeys: [] })
    await fc.assert(fc.asyncProperty(options, async wrong => {
      try {
        await (await Replays.open({ ...good, ...wrong } as never)).close()
      } catch (error) {
        assert.ok(error instanceof ReplayError, String(error))
        assert.equal(error.code, 'GEORDI_OPTION_INVALID')
        assert.match(error.message, /^Option `[\w.]+` must be /)
      }
    }))
  })

  it('are whole numbers above 0 that a server takes, where they are numbers', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...numbers), fc.oneof(fc.integer(), fc.double()), async (name, value) => {
      const opened = Replays.open({ ...good, [name]: value })
      if (Number.isSafeInteger(value) && value > 0 && (value < 2 ** 31 || name === 'retentionBytes')) await (await opened).close()
      else await assert.rejects(opened, { code: 'GEORDI_OPTION_INVALID', message: new RegExp(`\`${name}\``) })
    }))
  })
})
