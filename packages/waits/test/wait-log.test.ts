import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WaitLog } from '../src/wait-log.ts'

/** What is recorded of the values that operations are asked with: equal numbers are equal values, 0 says that it isn't known. */
function sameOf (...values: unknown[]): readonly number[] {
  const log = new WaitLog()
  for (const each of values) log.open(1, 0, { kind: 'sql', statement: 'insert', values: each }, { counted: false, placed: true })
  return log.toColumns(1).same
}

test('equal values are told to be so, and others apart', () => {
  const [first, again, other] = sameOf([{ id: 1, tags: ['a', 'b'] }], [{ id: 1, tags: ['a', 'b'] }], [{ id: 1, tags: ['a', 'c'] }])
  assert.equal(first, again)
  assert.notEqual(first, other)
  assert.ok(first !== 0 && other !== 0)
})

test('long values are told apart wherever they differ; of what is more than is looked at, none is told to be equal', () => {
  const list = (last: number, length = 500) => [...new Array<number>(length).fill(7), last]
  const [first, second] = sameOf(list(1), list(2))
  assert.notEqual(first, second)
  const text = (middle: string) => `${'x'.repeat(4000)}${middle}${'y'.repeat(4000)}`
  for (const of of [text, (middle: string) => Buffer.from(text(middle))]) {
    const [one, again, another] = sameOf([of('a')], [of('a')], [of('b')])
    assert.ok(one === again && one !== another && one !== 0)
  }
  const vector = (last: number) => Float32Array.from([...new Array<number>(1536).fill(1), last])
  const [one, other] = sameOf([vector(1)], [vector(2)])
  assert.ok(one !== other && one !== 0)
  assert.deepEqual(sameOf([new Map([[1, 2]])], [new URL('http://a')], [new Set([1])], [new ArrayBuffer(8)]), [0, 0, 0, 0])
  assert.deepEqual(sameOf(['x'.repeat(100_000)], [Buffer.alloc(100_000)], [Array.from({ length: 100 }, () => 'x'.repeat(1000))]), [0, 0, 0])
  assert.deepEqual(sameOf(list(1, 5000), { rows: [list(1), list(1), list(1), list(1), list(1)] }), [0, 0])
})

test('values that can\'t be looked at are the app\'s affair: they throw nothing, and cycles in them have an end', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const cyclic = { name: 'parent', children: [] as object[] }
  for (let at = 0; at < 60; at++) cyclic.children.push({ parent: cyclic, siblings: cyclic.children })
  assert.deepEqual(sameOf([{ get lazy () { throw new Error('not loaded') } }], [proxy], [cyclic]), [0, 0, 0])
})
