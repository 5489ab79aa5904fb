import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNone, AUTHOR, find, first, locations } from './find.ts'
import { repeat, RunBuilder, type TestWait } from './run-builder.ts'

describe('the same work for another thread, once after the other', () => {
  const HASH: TestWait = { kind: 'threadpool', statement: 'pbkdf2', target: 'crypto', stack: ['handler:3', 'hashAll:12', 'pbkdf2 node:internal/crypto/pbkdf2'] }
  const hashes = (count: number, each: number, rest: number, wait: TestWait = HASH) => {
    const run = new RunBuilder().run(['handler'], rest)
    repeat(count, () => run.wait(wait, each).run(['handler', 'hashAll'], 0.1))
    return run
  }

  test('is found by its time, where each is too short to be told alone', async () => {
    const found = await first(hashes(10, 60, 49), 'n-plus-one')
    assert.equal(found.title, 'The same work for the thread pool 10 times, one by one')
    assert.equal(found.evidence.join(), '10 from one call, 600 ms in all, 60.0 ms each (median)')
    assert.equal(found.subject, 'pbkdf2 crypto')
    assert.deepEqual(locations(found), ['hashAll src/hashAll.js:12', 'handler src/handler.js:3'])
    assert.ok(Math.abs(found.time - 600_000) < 1)
    for (const [kind, statement, title] of [['process', 'execFile', /child process is started 10 times/], ['worker', 'message', /worker thread is asked 10 times/], ['dns', 'lookup', /name is looked up 10 times/], ['connect', 'connect', /connection is opened 10 times/]] as const) {
      assert.match((await first(hashes(10, 60, 49, { ...HASH, kind, statement }), 'n-plus-one')).title, title)
    }
  })

  test('is told as slow where each is, and as tiny where they are', async () => {
    assert.deepEqual((await find(hashes(10, 150, 49))).map(({ cause }) => cause), ['slow-operation'])
    assert.deepEqual((await find(hashes(600, 0.8, 49))).map(({ cause }) => cause), ['tiny-operations'])
    assert.deepEqual((await find(hashes(6, 5, 49).wait(HASH, 400))).map(({ cause }) => cause), ['slow-operation'])
    // Some that take longer are told with the others.
    assert.deepEqual((await find(hashes(10, 60, 49).wait(HASH, 120).wait(HASH, 130))).map(({ title }) => title), ['The same work for the thread pool 12 times, one by one'])
  })

  test('is none for four of them, in a small share of the time, for little time, for several at once, and for a stream\'s', async () => {
    await assertNone(hashes(4, 60, 49))
    await assertNone(hashes(10, 25, 700))
    await assertNone(hashes(10, 15, 20))
    for (const statement of ['stream chunk', 'stream flush']) await assertNone(hashes(40, 10, 49, { ...HASH, statement, target: 'zlib' }))
    // A file that is read in pieces, as it should be.
    await assertNone(hashes(40, 10, 49, { ...HASH, kind: 'file', statement: 'read', target: '/srv/data/a.bin' }))
    const together = new RunBuilder().run(['handler'], 49)
    repeat(12, at => together.open(HASH, 50 + Math.floor(at / 4) * 90, 140 + Math.floor(at / 4) * 90))
    await assertNone(together)
    // Each from a line of its own.
    const apart = new RunBuilder().run(['handler'], 49)
    repeat(10, at => apart.wait({ ...HASH, stack: ['handler:3', `hashAll:${at + 12}`] }, 60))
    await assertNone(apart)
  })
})

describe('the same question, once after the other, fewer than ten times', () => {
  const asked = (count: number, each: number, rest: number, wait: TestWait = AUTHOR) => {
    const run = new RunBuilder().run(['handler'], rest)
    repeat(count, at => run.wait({ same: at + 1, ...wait }, each).run(['handler'], 0.1))
    return run
  }
  const SERVICE: TestWait = { kind: 'http', statement: 'GET /stock', target: 'stock:80' }

  test('is found by its time', async () => {
    const found = await first(asked(6, 80, 49), 'n-plus-one')
    assert.equal(found.title, 'The same statement 6 times, one by one')
    assert.equal(found.evidence.join(), '6 from one call, 480 ms in all, 80.0 ms each (median)')
    // One that takes longer is told with the others.
    assert.deepEqual((await find(asked(6, 80, 49).wait({ ...AUTHOR, same: 99 }, 130))).map(({ title }) => title), ['The same statement 7 times, one by one'])
  })

  test('is none for four, for little time, for many rows each, at once, until something is done, or for somebody\'s lock', async () => {
    await assertNone(asked(4, 80, 49))
    // Pages of a service, each of which may lead to the next.
    await assertNone(asked(6, 80, 49, SERVICE))
    await assertNone(asked(6, 30, 49))
    await assertNone(asked(6, 40, 700))
    await assertNone(asked(6, 80, 49, { ...AUTHOR, rows: 500 }))
    await assertNone(asked(6, 80, 49, { ...AUTHOR, statement: 'commit' }))
    const together = new RunBuilder().run(['handler'], 49)
    repeat(6, at => together.open({ ...AUTHOR, same: at + 1 }, 50 + Math.floor(at / 3) * 90, 140 + Math.floor(at / 3) * 90))
    await assertNone(together)
    const polling = new RunBuilder().run(['handler'], 49)
    repeat(6, () => polling.wait({ ...SERVICE, same: 7 }, 80).wait({ kind: 'timer', statement: 'setTimeout', target: '' }, 50))
    await assertNone(polling)
    const locked = await find(asked(6, 80, 49).lock({ wait: 0, kind: 'row', time: 75_000, holder: '' }))
    assert.deepEqual(locked.map(({ cause }) => cause), ['database-lock'])
  })
})
