import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLocalServer } from '@geordi/replay/local'
import { record, toWaits } from './support.ts'

test('pg: PostgreSQL is asked which of the slow statements wait for a lock, and for whose', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  t.after(() => server.stop())
  const { recording } = await record('locks', { DATABASE_URL: server.url })
  const waits = toWaits(recording)
  const locks = recording.locks!.map(lock => ({ ...lock, caller: waits[lock.wait]!.caller, duration: waits[lock.wait]!.duration }))
  assert.deepEqual(locks.map(({ caller, kind }) => [caller, kind]), [['wantsRow', 'row'], ['wantsTable', 'table'], ['wantsAdvisory', 'advisory']])
  for (const { time, duration, holder } of locks) {
    assert.ok(time > 0 && time / 1000 <= duration, `${time} µs of ${duration} ms`)
    assert.match(holder, /^nightly-job, process \d+: \w/)
  }
  assert.match(locks[0]!.holder, /update account set n = \?$/, 'without values')

  // What the question itself does is nobody's wait.
  assert.equal(waits.filter(({ statement }) => /pg_stat_activity/.test(statement)).length, 0)
  const pool = waits.filter(({ kind }) => kind === 'pool')
  assert.deepEqual(pool.map(({ statement, caller }) => [statement, caller]), [['new connection', 'query'], ['free connection', 'query']])
  const parameters = (statement: string) => recording.waits.operations.find(operation => operation.statement === statement)?.parameters
  assert.equal(parameters('select $1::int'), true)
  assert.equal(parameters('select * from account'), undefined)
})

test('the event loop\'s standing still is noted, slices aren\'t; flushes and their bytes are told; JSON is as it was', async () => {
  const { recording, told } = await record('blocks')
  const long = recording.blocks!.filter(({ start, end }) => end - start >= 150_000)
  assert.equal(long.length, 1, JSON.stringify(recording.blocks))
  assert.ok(long[0]!.start >= recording.start && long[0]!.end <= recording.end)
  const zlib = toWaits(recording).filter(({ kind, caller }) => kind === 'threadpool' && caller === 'flushRows')
  assert.deepEqual(zlib.filter(({ statement }) => statement === 'stream chunk').map(({ bytes }) => bytes), [21, 21, 21, 21, 21])
  assert.ok(zlib.filter(({ statement }) => statement === 'stream flush').length >= 5)
  assert.deepEqual(told, {
    names: ['parse', 'stringify', 2, 3], revived: [2, 4], text: ['{"a":1}', '[\n 1\n]', true], refused: 'SyntaxError'
  })
})
