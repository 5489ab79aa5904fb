import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSealer } from '@geordi/replay'

const SECRET = 'x'.repeat(32)
const OLD = 'y'.repeat(32)
const text = Buffer.from('make it so')
const broken = { name: 'ReplayError', code: 'GEORDI_SEAL_BROKEN' }

describe('a seal', () => {
  it('opens under the same secret, id and purpose', () => {
    const sealer = createSealer(SECRET)
    assert.deepEqual(sealer.open('id', 'record', sealer.seal('id', 'record', text)), text)
    assert.deepEqual(sealer.open('id', 'record', sealer.seal('id', 'record', Buffer.alloc(0))), Buffer.alloc(0))
  })

  it('shows nothing and is never the same twice', () => {
    const sealer = createSealer(SECRET)
    const [one, two] = [sealer.seal('id', 'record', text), sealer.seal('id', 'record', text)]
    assert.ok(!one.includes('make it so'))
    assert.ok(!one.equals(two))
  })

  it('does not open under another secret, id or purpose', () => {
    const sealer = createSealer(SECRET)
    const sealed = sealer.seal('id', 'record', text)
    assert.throws(() => createSealer(OLD).open('id', 'record', sealed), broken)
    assert.throws(() => sealer.open('id2', 'record', sealed), broken)
    assert.throws(() => sealer.open('id', 'capture', sealed), broken)
    assert.throws(() => sealer.open('i', 'drecord', sealed), broken)
  })

  it('does not open when any one byte is changed, or when it is cut', () => {
    const sealer = createSealer(SECRET)
    const sealed = sealer.seal('id', 'record', text)
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index]! ^= 1
      assert.throws(() => sealer.open('id', 'record', changed), broken, `byte ${index}`)
      assert.throws(() => sealer.open('id', 'record', sealed.subarray(0, index)), broken, `length ${index}`)
    }
  })

  it('opens with any secret of a rotation and seals with the first', () => {
    const rotating = createSealer([SECRET, OLD])
    assert.deepEqual(rotating.open('id', 'record', createSealer(OLD).seal('id', 'record', text)), text)
    assert.deepEqual(createSealer(SECRET).open('id', 'record', rotating.seal('id', 'record', text)), text)
  })

  it('answers with the secret that it was asked with, and opens with all of them still', () => {
    const rotating = createSealer([SECRET, OLD])
    const asked = createSealer(OLD).seal('id', 'record', text)
    const answering = rotating.answering('id', 'record', asked)
    assert.deepEqual(createSealer(OLD).open('id', 'report', answering.seal('id', 'report', text)), text)
    assert.deepEqual(answering.open('id', 'report', rotating.seal('id', 'report', text)), text)
    assert.throws(() => createSealer(SECRET).answering('id', 'record', asked), broken)
    assert.throws(() => rotating.answering('id2', 'record', asked), broken)
  })

  it('refuses secrets that are too short, missing or none', () => {
    for (const secret of ['x'.repeat(31), '', [], [SECRET, 'short'], undefined, 7] as string[]) {
      assert.throws(() => createSealer(secret), { code: 'GEORDI_OPTION_INVALID', message: /`secret`/ })
    }
  })
})
