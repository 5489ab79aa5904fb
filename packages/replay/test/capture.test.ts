import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backendFor, decodeCapture, encodeCapture, Replays, type CapturedRequest } from '@geordi/replay'

const request: CapturedRequest = {
  method: 'PUT',
  url: '/a%20b?x=%FF&y&&=',
  httpVersion: '1.1',
  rawHeaders: ['A', '\xe9', 'a', ''],
  body: Buffer.from([0, 1, 2, 255]),
  connection: { encrypted: true },
  capturedAt: 0
}
const unreadable = { code: 'GEORDI_CAPTURE_UNREADABLE' }

describe('a captured request as bytes', () => {
  it('comes back as it was', () => {
    assert.deepEqual(decodeCapture(encodeCapture(request)), request)
    assert.deepEqual(decodeCapture(encodeCapture({ ...request, body: Buffer.alloc(0) })).body, Buffer.alloc(0))
  })

  it('is refused when it is something else', () => {
    const encoded = encodeCapture(request)
    for (const bytes of [Buffer.alloc(0), Buffer.from('nonsense'), encoded.subarray(0, 20), Buffer.from([0, 0, 0, 2, 123, 125])]) {
      assert.throws(() => decodeCapture(bytes), unreadable)
    }
  })
})

describe('the options of the queue', () => {
  it('name the backend by the URL\'s scheme', () => {
    assert.equal(backendFor({ url: 'redis://h', name: 'a' }), 'redis')
    assert.equal(backendFor({ url: 'rediss://h', name: 'a' }), 'redis')
    assert.equal(backendFor({ url: 'postgres://h/d', name: 'a' }), 'postgres')
    assert.equal(backendFor({ url: 'postgresql://h/d', name: 'a' }), 'postgres')
  })

  it('are refused by name when they are wrong', async () => {
    const good = { url: 'redis://127.0.0.1:1', secret: 'x'.repeat(32), role: 'web' } as const
    const wrong: Array<[object, RegExp]> = [
      [{ url: 'http://h' }, /`queue\.url`/], [{ url: 'nothing' }, /`queue\.url`/], [{ url: undefined }, /`queue\.url`/],
      [{ name: 'A b' }, /`queue\.name`/], [{ name: '' }, /`queue\.name`/], [{ name: 'x; drop table' }, /`queue\.name`/],
      [{ retention: 0 }, /`retention`/], [{ retention: 1.5 }, /`retention`/], [{ retention: NaN }, /`retention`/],
      [{ secret: 'short' }, /`secret`/]
    ]
    for (const [change, message] of wrong) {
      await assert.rejects(Replays.open({ ...good, ...change }), { code: 'GEORDI_OPTION_INVALID', message })
    }
  })
})
