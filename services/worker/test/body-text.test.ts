import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { longestText } from '../src/body-text.ts'
import { get } from './support.ts'

const of = (type: string, body: string | Uint8Array, ...more: string[]) => longestText(get('/', { method: 'POST', body: Buffer.from(body), rawHeaders: ['Host', 'x', 'Content-Type', type, ...more] }))
const ofJson = (value: unknown) => of('application/json', JSON.stringify(value))

describe('the longest text of a body', () => {
  test('is told by its name and length, of JSON and of forms, and by its length of plain text', () => {
    assert.deepEqual(ofJson({ id: 1701, crew: [{ name: 'Worf' }, { name: 'Jean-Luc Picard' }], ship: 'Enterprise' }), { bodyText: 'crew[].name', bodyTextLength: 15 })
    assert.deepEqual(of('application/merge-patch+json; charset=utf-8', '{"a":{"b":"c"}}'), { bodyText: 'a.b', bodyTextLength: 1 })
    assert.deepEqual(ofJson('engage'), { bodyTextLength: 6 })
    assert.deepEqual(of('application/x-www-form-urlencoded', 'ship=Enterprise&order=make+it+%73o'), { bodyText: 'ship', bodyTextLength: 10 })
    assert.deepEqual(of('text/plain; charset=utf-8', 'make it so'), { bodyTextLength: 10 })
    assert.deepEqual(ofJson([[['engage']]]), { bodyText: '[][][]', bodyTextLength: 6 })
  })

  test('has no names that may be values', () => {
    assert.deepEqual(ofJson({ 'picard@enterprise.example': { 'order 1': 'engage' } }), { bodyText: '….…', bodyTextLength: 6 })
    assert.deepEqual(of('application/x-www-form-urlencoded', 'jean-luc+picard=engage'), { bodyText: '…', bodyTextLength: 6 })
  })

  test('is none of what has no texts, is not what it says, is encoded, or of another type', () => {
    for (const value of [{ id: 1701 }, [], null, 1]) assert.deepEqual(ofJson(value), {})
    assert.deepEqual(of('application/json', '{"a":"b'), {})
    assert.deepEqual(of('application/json', ''), {})
    assert.deepEqual(of('application/json', Uint8Array.of(0x22, 0xff, 0x22)), {})
    assert.deepEqual(of('application/json', gzipSync('"engage"'), 'Content-Encoding', 'gzip'), {})
    assert.deepEqual(of('multipart/form-data; boundary=x', '"engage"'), {})
    assert.deepEqual(longestText(get()), {})
  })

  test('is looked for within bounds: not in a large body, not in all of very many values, in no stack of its own', () => {
    assert.deepEqual(ofJson('x'.repeat(1_048_575)), {})
    assert.deepEqual(ofJson([...Array.from({ length: 30_000 }, () => 'ab'), 'engage']), { bodyText: '[]', bodyTextLength: 2 })
    assert.deepEqual(of('application/json', `${'['.repeat(10_000)}"engage"${']'.repeat(10_000)}`), { bodyText: '….[][][][]'.replace('.', ''), bodyTextLength: 6 })
  })
})
