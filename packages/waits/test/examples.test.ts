import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { startLocalServer } from '@geordi/replay/local'
import type { WaitsOptions } from '@geordi/waits'
import { Examples } from '../src/examples.ts'
import { WaitLog } from '../src/wait-log.ts'
import { record } from './support.ts'

const ROW = { kind: 'sql', statement: 'select * from ship where id = $1' } as const
const HOW = { counted: false, placed: true }

test('the values of each operation\'s longest wait are kept, of one that has not ended too, and of those that are only counted', () => {
  for (const counted of [false, true]) {
    const log = new WaitLog(true)
    const ask = (id: number, start: number, end?: number) => {
      const wait = log.open(1, start, { ...ROW, values: [id] }, { counted, placed: true })
      if (end !== undefined) log.close(wait, end, false)
    }
    const told = (end: number) => log.toColumns(end).operations.map(({ values }) => values)
    ask(1, 0, 10)
    ask(2, 10, 40)
    ask(3, 40, 60)
    assert.deepEqual(told(60), ['2'])
    ask(4, 60)
    assert.deepEqual(told(80), ['2'])
    assert.deepEqual(told(100), ['4'])
  }
})

test('nothing of a timer that was cleared, of what has no values, and where its target says it', () => {
  const log = new WaitLog(true)
  log.discard(log.open(1, 0, { kind: 'timer', values: ['soon'] }, HOW))
  log.close(log.open(1, 0, { kind: 'lock', statement: 'acquire' }, HOW), 10, false)
  log.close(log.open(1, 0, { kind: 'file', statement: 'readFile', target: '/etc/hosts', values: '/etc/hosts' }, HOW), 10, false)
  assert.deepEqual(log.toColumns(20).operations.map(({ values }) => values), [undefined, undefined, undefined])
})

test('values are told shortly, and what they throw is no affair of the app\'s', () => {
  const textOf = (values: unknown) => {
    const examples = new Examples()
    examples.opened(1, values)
    examples.lasted(1, 0, 5)
    return examples.of(0) ?? ''
  }
  assert.equal(textOf([]), '[]')
  assert.equal(textOf(['user:42']), 'user:42')
  assert.equal(textOf(['user:42', 7, undefined]), "[ 'user:42', 7 ]")
  assert.equal(textOf('/path?token=x'), '/path?token=x')
  assert.equal(textOf('x'.repeat(10_000)).length, 300)
  assert.equal(textOf([Array.from({ length: 10_000 }, () => 'x'.repeat(100))]).length, 300)
  const fail = () => { throw new Error('code of the app\'s ran') }
  const traps = { get: fail, ownKeys: fail, getOwnPropertyDescriptor: fail, has: fail, getPrototypeOf: fail }
  const hostile = [{ toString: fail, toJSON: fail, [Symbol.toPrimitive]: fail, [inspect.custom]: fail, get value () { return fail() } }, new Proxy({}, traps), new Proxy([1], traps), new Proxy(fail, traps)]
  assert.match(textOf([hostile]), /Getter/)
  assert.equal(textOf([{ get [Symbol.toStringTag] () { return fail() } }]), '')
})

test('pg: parameters, and literals with their statement, where values are asked for, and not otherwise', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  t.after(() => server.stop())
  const of = async (options?: WaitsOptions) => {
    const { recording } = await record('pg', { DATABASE_URL: server.url }, options)
    return { text: JSON.stringify(recording), values: new Map(recording.waits.operations.map(({ statement, values }) => [statement, values])) }
  }
  const { values } = await of({ values: true })
  assert.equal(values.get('select pg_sleep($1)'), '0.1')
  assert.equal(values.get('select name from item where id = $1'), '7')
  assert.match(values.get('select count(*) from item where name <> ? and id < ?') ?? '', /name <> 'secret' and id < 42/)
  const without = await of()
  assert.deepEqual(new Set(without.values.values()), new Set([undefined]))
  assert.doesNotMatch(without.text, /secret/)
})
