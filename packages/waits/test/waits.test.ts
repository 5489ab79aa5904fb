import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startLocalServer } from '@geordi/replay/local'
import { recordWaits, type WaitsOptions } from '@geordi/waits'
import { callerOf, record, toWaits, type Wait, waitsOf } from './support.ts'

/** The waits that a function of the program has started, without what a test doesn't look at. */
function by (waits: readonly Wait[], caller: string, kind?: string): Wait[] {
  return waits.filter(wait => wait.caller === caller && (kind === undefined || wait.kind === kind))
}

function only (waits: readonly Wait[], caller: string, kind?: string): Wait {
  const found = by(waits, caller, kind)
  assert.equal(found.length, 1, `${caller} has ${found.length} waits: ${JSON.stringify(found)}`)
  return found[0]!
}

test('pg: each query with its statement, rows, outcome and caller; the wait for a connection apart', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  t.after(() => server.stop())
  const waits = await waitsOf('pg', { DATABASE_URL: server.url })
  const target = `127.0.0.1:${new URL(server.url).port}/postgres`

  const many = by(waits, 'oneOfMany')
  assert.equal(many.length, 20)
  for (const wait of many) {
    assert.deepEqual({ ...wait, duration: 0, same: 0 }, {
      kind: 'sql', statement: 'select * from item where id = $1', target, outcome: 'done', sync: false, rows: 1, bytes: null, caller: 'oneOfMany', duration: 0, same: 0, count: 1
    })
  }
  assert.equal(new Set(many.map(({ same }) => same)).size, 20, 'other values are another question')
  assert.equal(new Set(by(waits, 'twice').map(({ same }) => same)).size, 1, 'the same values are the same question')
  assert.equal(only(waits, 'literals').statement, 'select count(*) from item where name <> ? and id < ?')
  assert.equal(only(waits, 'withCallback').outcome, 'done')
  assert.equal(only(waits, 'failing').outcome, 'failed')
  assert.ok(only(waits, 'slow').duration >= 99)
  const batches = by(waits, 'inBatches', 'sql')
  assert.deepEqual(batches.map(({ statement, target: of, rows }) => [statement, of, rows]), [25, 25, 10, 0].map(rows => ['fetch: select * from item where id <= $1', target, rows]))
  assert.equal(only(waits, 'throughPool', 'sql').statement, 'select ? as pooled')
  assert.equal(only(waits, 'throughPool', 'pool').target, target)
  const late = only(waits, 'exhausted', 'pool')
  assert.ok(late.duration >= 50, `waited ${late.duration} ms for a connection`)
  assert.deepEqual(by(waits, 'atOnce', 'pool').map(({ statement }) => statement), ['new connection', 'new connection', 'free connection'], 'none for the one that nobody uses')
  assert.deepEqual(waits.filter(({ kind }) => kind === 'connect').map(({ caller, statement, outcome, target: of }) => [caller, statement, outcome, of]), ['connect', 'end'].map(name => ['alone', name, 'done', target]), "a pool's connections are its own affair")
})

test('HTTP clients, connections, names and processes', async () => {
  const { recording, told: port } = await record('network')
  const waits = toWaits(recording)
  const host = `http://127.0.0.1:${String(port)}`

  const httpWait = only(waits, 'byHttp', 'http')
  assert.equal(httpWait.statement, 'GET /path?token=&page=')
  assert.equal(httpWait.target, host)
  assert.ok(httpWait.duration >= 29)
  const [fetched, missing] = by(waits, 'byFetch', 'http')
  assert.equal(fetched?.statement, 'GET /fetched?key=')
  assert.equal(fetched?.target, host)
  assert.ok(fetched.duration >= 29)
  assert.equal(missing?.outcome, 'failed')
  assert.equal(only(waits, 'byUndici', 'http').statement, 'GET /undici')
  const givenUp = only(waits, 'givesUp', 'http')
  assert.equal(givenUp.outcome, 'failed', 'it ends when nobody wants an answer any more')
  assert.equal(only(waits, 'upgrades', 'http').outcome, 'done', 'a connection that has become another protocol\'s has been waited for')
  for (const caller of ['partsByFetch', 'partsByHttp']) {
    const [first, second, again, others] = by(waits, caller, 'http').map(({ same }) => same)
    assert.equal(first, again, 'what traces it is no other question')
    assert.equal(new Set([first, second, others]).size, 3, 'another part of it, and somebody else\'s, are')
  }
  assert.equal(only(waits, 'connects', 'connect').target, `127.0.0.1:${String(port)}`)
  assert.equal(only(waits, 'resolves', 'dns').target, 'localhost')
  const [spawned, blocking, ...lines] = by(waits, 'spawns', 'process')
  assert.equal(spawned?.target, process.execPath)
  assert.ok(spawned.duration >= 49)
  assert.equal(blocking?.sync, true)
  assert.deepEqual(lines.map(({ target }) => target), ['true', 'true', ''], 'what is set for a command may be a secret')
  assert.equal(by(waits, 'byCallbacks', 'timer').length, 1, 'a callback is called in the name of who handed it over')
  assert.deepEqual(['hearError', 'byEvents'].map(caller => by(waits, caller, 'timer').length), [1, 1], 'and so is a listener, of whose request it is')
  const text = JSON.stringify(recording)
  for (const secret of ['password', 'token=secret', 'key=secret', 'Bearer', 'hidden', 'hid den']) assert.ok(!text.includes(secret), secret)
})

test('HTTP/2', async () => {
  const { recording, told: port } = await record('http2')
  const waits = toWaits(recording)
  const [first, second] = by(waits, 'asked', 'http')
  assert.deepEqual([first?.statement, first?.target, first?.outcome], ['GET /path?token=&page=', `http://127.0.0.1:${String(port)}`, 'done'])
  assert.ok(first!.duration >= 29)
  assert.notEqual(first!.same, second?.same, 'somebody else has asked')
  const givenUp = only(waits, 'givenUp', 'http')
  assert.deepEqual([givenUp.statement, givenUp.outcome], ['POST /late', 'failed'])
  assert.ok(only(waits, 'heard', 'http').duration >= 29)
  assert.equal(by(waits, 'heard', 'timer').length, 1, 'a listener is called in the name of who asked')
  const text = JSON.stringify(recording)
  for (const secret of ['secret', 'another', 'Bearer']) assert.ok(!text.includes(secret), secret)
})

test('files, thread pool, timers and locks', async () => {
  const waits = await waitsOf('local')
  const files = by(waits, 'files')
  assert.deepEqual(files.map(({ statement, sync, outcome }) => `${statement} ${sync ? 'sync ' : ''}${outcome}`), [
    'readFile done', 'readFileSync sync done', 'stat done', 'open done', 'readFile done', 'readFile failed'
  ])
  assert.match(files[0]!.target, /local\.mjs$/)
  assert.ok(files[0]!.bytes! > 500)
  assert.ok(by(waits, 'streams', 'file').some(({ statement }) => statement === 'read'), 'a stream of a file reads')
  assert.deepEqual(by(waits, 'pool').map(({ kind, statement }) => `${kind} ${statement}`), ['threadpool scrypt', 'threadpool digest', 'threadpool gzip'])
  assert.ok(by(waits, 'flushes', 'threadpool').length >= 10, 'each flush is a piece of work')
  assert.equal(waits.filter(({ kind, caller }) => kind === 'threadpool' && caller === undefined).length, 0, 'what a one-shot function does within is its own affair')
  assert.equal(only(waits, 'madeOfText', 'timer').outcome, 'done')
  const timers = by(waits, 'timers', 'timer')
  assert.deepEqual(timers.map(({ outcome }) => outcome), ['done', 'done', 'done', 'discarded', 'discarded', 'discarded', 'discarded'])
  const ticks = by(waits, 'ticks', 'timer')
  assert.deepEqual(ticks.map(({ statement, outcome }) => `${statement} ${outcome}`), ['setInterval done', 'setInterval done', 'setInterval done'])
  assert.ok(ticks.every(({ duration }) => duration >= 18), 'each lasts from tick to tick')
  assert.deepEqual(by(waits, 'ticksInTurn', 'timer').map(({ statement, outcome }) => `${statement} ${outcome}`), ['next of setInterval done', 'next of setInterval done', 'next of setInterval done'])
  const beside = by(waits, 'ticksBeside', 'timer').filter(({ statement }) => statement === 'setInterval')
  assert.equal(beside.filter(({ outcome }) => outcome === 'open').length, 0, 'what was cleared, by a number too, or keeps no process alive is none')
  assert.equal(beside.filter(({ outcome }) => outcome === 'discarded').length, 4, 'one that was unrefed, one that never ticked, one by its number, and the last one of the first')
  assert.ok(beside.filter(({ outcome }) => outcome === 'done').length >= 3)
  const locks = by(waits, 'locks', 'lock')
  assert.equal(locks.length, 4)
  assert.equal(locks.filter(({ duration }) => duration > 20).length, 2, 'two of them had to wait')
})

test('ioredis: each command without its values, and the same key asked again', async t => {
  const server = await startLocalServer({ kind: 'redis' })
  t.after(() => server.stop())
  const { recording, told } = await record('redis', { REDIS_URL: server.url })
  const waits = toWaits(recording)
  const same = by(waits, 'sameKey')
  assert.equal(same.length, 20)
  assert.equal(new Set(same.map(wait => wait.same)).size, 1)
  assert.equal(same[0]?.statement, 'get')
  assert.equal(same[0]?.bytes, 5)
  assert.deepEqual(by(waits, 'pipelined').map(({ statement }) => statement), ['set', 'get'])
  assert.deepEqual(by(waits, 'hash').map(({ statement, rows }) => [statement, rows]), [['hgetall', null], ['hkeys', 2]], 'a hash is one answer, though it comes as a list')
  assert.deepEqual(told, ['ReplyError', 'ReplyError', 'ReplyError'], 'errors are whose they were, and end no process')
  assert.deepEqual(waits.filter(({ statement }) => statement === 'lpush').map(({ caller, outcome }) => [caller, outcome]), [['withCallback', 'failed'], ['notYetConnected', 'failed'], ['failingInPipeline', 'failed']])
})

test('redis: each command without its values, and a multi as one', async t => {
  const server = await startLocalServer({ kind: 'redis' })
  t.after(() => server.stop())
  const waits = await waitsOf('node-redis', { REDIS_URL: server.url })
  const same = by(waits, 'sameKey', 'cache')
  assert.equal(same.length, 20)
  assert.equal(new Set(same.map(wait => wait.same)).size, 1)
  assert.equal(same[0]?.statement, 'get')
  assert.equal(same[0].target, `127.0.0.1:${new URL(server.url).port}`)
  assert.deepEqual(by(waits, 'together', 'cache').map(({ statement }) => statement), ['multi of 2'])
})

test('tarn, piscina and plain threads: the wait for a resource, and for a thread\'s answer', async () => {
  const waits = await waitsOf('pools')
  assert.ok(only(waits, 'inThread', 'worker').duration >= 39)
  const plain = by(waits, 'plainThread', 'worker')
  // Nobody waits for an answer to the second message.
  assert.deepEqual(plain.map(({ statement, target, outcome }) => `${statement} ${target} ${outcome}`), ['ESM', 'CommonJS'].flatMap(() =>
    ['start [eval] done', 'message [eval] discarded', 'terminate [eval] done']))
  const answers = by(waits, 'answerOf', 'worker')
  assert.deepEqual(answers.map(({ statement, outcome }) => `${statement} ${outcome}`), ['message done', 'message done'])
  assert.ok(answers.every(({ duration }) => duration >= 39))
  const alone = only(waits, 'threadAlone', 'worker')
  assert.equal(alone.outcome, 'done')
  assert.ok(alone.duration >= 39, 'until its answer')
  const pool = by(waits, 'exhausted', 'pool')
  assert.deepEqual(pool.map(({ statement }) => statement), ['new connection', 'free connection'], 'none for one that nobody uses')
  const [first, second] = pool
  assert.equal(first?.outcome, 'done')
  assert.ok(second!.duration >= 40, `waited ${second!.duration} ms`)
})

test('generic-pool and sequelize-pool: the wait for a resource that is in use, how many there are, and none where one is free', async () => {
  const { recording } = await record('pools')
  const waits = toWaits(recording)
  for (const caller of ['byGeneric', 'bySequelize']) {
    const found = by(waits, caller, 'pool')
    assert.deepEqual(found.map(({ statement, outcome }) => `${statement} ${outcome}`), ['new connection done', 'new connection done', 'free connection done'])
    assert.ok(found[2]!.duration >= 40, `waited ${found[2]!.duration} ms`)
  }
  assert.deepEqual(recording.waits.operations.filter(({ kind }) => kind === 'pool').map(({ driver, statement, connections }) => `${driver} ${statement} ${connections}`), [
    'tarn new connection 1', 'tarn free connection 1', ...['generic-pool', 'sequelize-pool'].flatMap(driver => [`${driver} new connection 2`, `${driver} free connection 2`])
  ])
})

test('fastify: the handler of a route is the function that was called for it, and no hook that it has led to', async () => {
  for (const [path, handler] of [['/later', 'load'], ['/at-once', 'answer']] as const) {
    const { recording } = await record('fastify-route', { PATH_ASKED: path })
    assert.deepEqual([recording.route!.url, callerOf(recording, recording.route!.handler ?? 0)], [path, handler])
  }
})

test('undici: what waits for a connection that others use is told from the exchange, and by whom; none where it needn\'t', async () => {
  const { recording } = await record('undici-pools')
  const waits = toWaits(recording)
  const of = (caller: string) => {
    const [pool, http] = [by(waits, caller, 'pool'), by(waits, caller, 'http')]
    return { pool: pool.map(({ statement, outcome }) => `${statement} ${outcome}`), http: http.map(({ statement, outcome }) => `${statement} ${outcome}`) }
  }
  const free = (count: number) => Array<string>(count).fill('free connection done')
  assert.deepEqual(of('crowded'), { pool: free(3), http: Array(5).fill('GET /crowded?id= done') })
  assert.deepEqual(of('inTurn'), { pool: [], http: Array(3).fill('GET /turn done') })
  assert.deepEqual(of('roomy'), { pool: [], http: Array(4).fill('GET /roomy done') })
  assert.deepEqual(of('byClient'), { pool: free(2), http: Array(3).fill('GET /client done') })
  assert.deepEqual(of('pipelined'), { pool: [], http: Array(3).fill('GET /piped done') })
  assert.deepEqual(of('byFetch'), { pool: free(1), http: Array(2).fill('GET /fetched done') })
  assert.deepEqual(of('unlimited'), { pool: [], http: Array(2).fill('GET /unlimited done') })
  assert.deepEqual(of('refused').pool, ['free connection failed'])
  assert.deepEqual(of('frozen'), { pool: free(2), http: Array(3).fill('GET /frozen done') })
  for (const { duration } of [...by(waits, 'crowded', 'http'), ...by(waits, 'byClient', 'http')]) assert.ok(duration >= 39, `an answer after ${duration} ms`)
  for (const { duration } of [...by(waits, 'crowded', 'pool'), ...by(waits, 'byClient', 'pool')]) assert.ok(duration >= 39, `a connection after ${duration} ms`)
  const sizes = new Map(recording.waits.operations.filter(({ kind }) => kind === 'pool').map(({ connections, target }) => [connections, target]))
  assert.deepEqual([...sizes], [[2, by(waits, 'crowded')[0]!.target], [1, by(waits, 'crowded')[0]!.target]])
})

test('node:sqlite: counted as work of the thread, without values', async () => {
  const { recording } = await record('sqlite')
  const waits = toWaits(recording)
  const expected = isBuiltin('node:sqlite')
    ? ['insert into item values (…) sync', ...new Array<string>(5).fill('select * from item where id = ? sync')]
    : []
  assert.deepEqual(waits.filter(({ kind }) => kind === 'sql').map(({ statement, sync }) => `${statement}${sync ? ' sync' : ''}`), expected)
})

/** A folder that has a native package's shape installed. */
async function folderWith (t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'geordi-native-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await cp(fileURLToPath(new URL(`../../test/fixtures/${name}-shape`, import.meta.url)), join(folder, 'node_modules', name), { recursive: true })
  return folder
}

test('bcrypt: each hash, by a promise, by a callback and blocking, without what is hashed', async t => {
  const waits = await waitsOf('hashes', { APP_FOLDER: await folderWith(t, 'bcrypt') })
  assert.deepEqual(waits.map(({ kind, statement, target, caller, outcome, sync }) => [kind, statement, target, caller, outcome, sync]), [
    ['threadpool', 'hash', 'bcrypt', 'promised', 'done', false],
    ['threadpool', 'hash', 'bcrypt', 'called', 'done', false],
    ['threadpool', 'hash', 'bcrypt', 'failing', 'failed', false],
    ['threadpool', 'hashSync', 'bcrypt', 'blocking', 'done', true]
  ])
})

test('better-sqlite3: thousands of tiny statements are all counted, and hardly any is looked at where they come from one place', async t => {
  const { recording } = await record('sqlite-often', { APP_FOLDER: await folderWith(t, 'better-sqlite3') })
  const waits = toWaits(recording).filter(({ kind }) => kind === 'sql')
  const of = (statement: string) => waits.filter(wait => wait.statement === statement)
  const all = of('select * from item where id > ?')
  assert.equal(all.length, 7002)
  assert.equal(new Set(all.map(({ same }) => same)).size, 3002, 'values are told apart')
  // It comes where the next one that is looked at is far.
  assert.deepEqual(by(all, 'long').map(({ duration }) => duration >= 5), [true])
  const [first, second, later] = ['first', 'second', 'later'].map(caller => by(all, caller).length) as [number, number, number]
  assert.equal(first + second + later, 6001, 'the others are of fast() and long()')
  assert.equal(later, 1, 'a pause is looked after')
  assert.ok(Math.abs(first - 3000) <= 256, `${first} by the first, ${second} by the second`)
  const { captures, assumed = 0 } = recording.cost
  assert.ok(assumed > 5500 && captures < 1500, `${captures} stacks, ${assumed} assumed`)

  assert.deepEqual(['even', 'odd'].map(caller => by(of('select ? from item'), caller).length), [300, 300], 'two in turns')
  const same = of('select name from item where id = ?')
  assert.deepEqual(new Set(same.map(({ rows }) => rows)), new Set([null]), 'a column is no count')
  assert.deepEqual([by(same, 'same').length, new Set(same.map(({ same }) => same)).size], [500, 1])
  assert.deepEqual(['oneOf', 'twoOf'].map(caller => by(of('select ? from item where name = ?'), caller).length), [20, 20], 'of two at once')
  assert.equal(of('fails').filter(({ outcome }) => outcome === 'failed').length, 100)
})

test('better-sqlite3: each statement is counted past the budget and past the memory, too', async t => {
  const folder = await folderWith(t, 'better-sqlite3')
  for (const options of [{ continuations: false }, { budget: 0, freeTime: 0 }, { memory: 0 }]) {
    const waits = toWaits((await record('sqlite-often', { APP_FOLDER: folder }, options)).recording).filter(({ kind }) => kind === 'sql')
    const counts = new Map<string, number>()
    for (const { statement, count } of waits) counts.set(statement, (counts.get(statement) ?? 0) + count)
    assert.deepEqual(Object.fromEntries(counts), {
      'select * from item where id > ?': 7002, 'select ? from item': 600, 'select name from item where id = ?': 500, 'select ? from item where name = ?': 40, fails: 100
    }, JSON.stringify(options))
  }
})

test('better-sqlite3: counted as work of the thread, without values', async t => {
  // The package itself is tried where GEORDI_TEST_BETTER_SQLITE3 names a folder that has it installed.
  const installed = process.env['GEORDI_TEST_BETTER_SQLITE3']
  const folder = await folderWith(t, 'better-sqlite3')
  const waits = await waitsOf('better-sqlite3', { APP_FOLDER: installed ?? folder })
  assert.deepEqual(waits.filter(({ kind }) => kind === 'sql').map(({ statement, target, sync, rows, caller }) => ({ statement, target, sync, rows, caller })), [
    { statement: 'create table item (id int, name text)', target: ':memory:', sync: true, rows: null, caller: 'insert' },
    { statement: 'insert into item values (…), …', target: ':memory:', sync: true, rows: 2, caller: 'insert' },
    ...new Array<object>(5).fill({ statement: 'select * from item where id > ?', target: ':memory:', sync: true, rows: 2, caller: 'select' })
  ])
  const same = by(waits, 'select', 'sql').map(wait => wait.same)
  assert.deepEqual(new Set(same).size, 1)
})

test('mongodb: each operation with the shape of what it asks for, without values', async () => {
  const waits = (await waitsOf('mongodb')).filter(({ kind }) => kind === 'document')
  const target = waits[0]?.target
  assert.match(target ?? '', /^127\.0\.0\.1:\d+\/shop$/)
  const many = by(waits, 'oneOfMany', 'document')
  assert.deepEqual(many.map(({ statement, rows, outcome }) => ({ statement, rows, outcome })),
    new Array<object>(3).fill({ statement: 'find item { id: ?, name: { $in: [?] } }', rows: 2, outcome: 'done' }))
  assert.equal(new Set(many.map(({ same }) => same)).size, 3)
  assert.ok(many.every(({ duration }) => duration >= 9), 'until the answer is there')
  const again = by(waits, 'sameAgain', 'document')
  assert.equal(again.length, 2)
  assert.equal(new Set(again.map(({ same }) => same)).size, 1)
  assert.deepEqual(by(waits, 'others', 'document').map(({ statement, outcome }) => `${statement}: ${outcome}`), [
    'aggregate item [{ $match: { name: ? } }, { $group: { _id: ?, n: { $sum: ? } } }]: done',
    'insert item: done',
    'update item [{ name: ? }]: done',
    'update item [{ name: ? }]: failed'
  ])
  assert.ok(!JSON.stringify(waits).includes('secret'))
})

test('mysql2: each query with its statement and target', async () => {
  const waits = await waitsOf('mysql')
  const changes = by(waits, 'change', 'sql')
  assert.equal(changes.length, 3)
  assert.equal(changes[0]?.statement, 'update item set name = ? where id = ?')
  assert.match(changes[0].target, /^127\.0\.0\.1:\d+\/shop$/)
  assert.equal(changes[0].rows, 3)
  assert.ok(changes[0].duration >= 19)
})

test('mysql2: what its pool asks, by whom; the wait for a connection apart', async () => {
  const waits = await waitsOf('mysql')
  const told = (caller: string) => by(waits, caller).filter(({ kind }) => kind !== 'file').map(({ kind, statement, outcome }) => `${kind} ${statement} ${outcome}`)
  assert.deepEqual(told('throughPool'), ['pool new connection done', 'sql update pooled set name = ? done'])
  assert.deepEqual(told('withCallback'), ['sql update called set name = ? done'], 'a connection that is free is no wait')
  assert.deepEqual(told('byEvents'), ['sql update streamed done'])
  assert.deepEqual(told('waits'), ['pool free connection done', 'sql update late done'])
  assert.ok(only(waits, 'waits', 'pool').duration >= 40)
  assert.ok([...by(waits, 'byEvents'), only(waits, 'waits', 'sql')].every(({ duration }) => duration >= 19))
})

test('without continuations the waits and their callers across await are there all the same', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  t.after(() => server.stop())
  for (const options of [{ continuations: false }, { budget: 0, freeTime: 0 }]) {
    const { recording } = await record('pg', { DATABASE_URL: server.url }, options)
    const waits = toWaits(recording)
    assert.equal(by(waits, 'oneOfMany', 'sql').length, 20)
    assert.equal(only(waits, 'slow').statement, 'select pg_sleep($1)')
    const stack = recording.stacks[recording.records.stack[recording.waits.record.at(10)!]!]!
    const names = stack.map(place => recording.functions[recording.places[place]?.[0] ?? -1]?.[0])
    assert.deepEqual(names.filter(name => name === 'oneOfMany' || name === 'main'), ['oneOfMany', 'main'])
    const { simplerSince, assumed = 0, captures } = recording.cost
    assert.equal(simplerSince !== undefined, 'budget' in options, 'it says that it fell back')
    // Each statement is looked at once, most others of its kind are told where that was.
    assert.equal(assumed >= 10, 'budget' in options, `${assumed} of ${waits.length}`)
    if ('budget' in options) assert.ok(captures < waits.length, `${captures} stacks`)
  }
})

test('past its budget the recorder follows continuations no more, and says so', async () => {
  const { recording, told } = await record('loops', {}, { budget: 0.01, freeTime: 20_000 })
  const { simplerSince, captures } = recording.cost
  assert.ok(simplerSince !== undefined && simplerSince < recording.end)
  assert.ok(captures < 300_000, `${captures} stacks`)
  assert.equal((told as { sum: number }).sum, 150_000, 'the program goes on undisturbed')
})

test('unknown drivers: what is asked of a server over a connection, until the last piece of its answer', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  t.after(() => server.stop())
  const { recording, told: port } = await record('exchanges', { DATABASE_URL: server.url })
  const waits = toWaits(recording).filter(({ kind }) => kind === 'network')
  const of = (caller: string) => by(waits, caller).map(({ outcome, target, bytes }) => ({ outcome, target, bytes }))
  const target = `127.0.0.1:${String(port)}`

  assert.deepEqual(of('oneByOne'), Array(3).fill({ outcome: 'done', target, bytes: 11 }))
  assert.ok(by(waits, 'oneByOne').every(({ duration }) => duration >= 29))
  // Which answer is whose isn't known.
  assert.deepEqual(of('pipelined'), [{ outcome: 'done', target, bytes: 22 }])
  assert.deepEqual(of('inPieces'), [{ outcome: 'done', target, bytes: 33 }])
  assert.ok(only(waits, 'inPieces').duration >= 89, 'it lasts until the last piece')
  assert.deepEqual(of('main'), [{ outcome: 'open', target, bytes: null }], 'what nobody answers')
  assert.deepEqual(of('overTls').map(({ outcome, bytes }) => ({ outcome, bytes })), [{ outcome: 'done', bytes: 11 }])

  const unknown = by(waits, 'byUnknownDriver')
  assert.ok(unknown.length > 0 && unknown.every(wait => wait.target.endsWith(`:${new URL(server.url).port}`)), JSON.stringify(unknown))
  assert.ok(unknown.reduce((sum, { duration }) => sum + duration, 0) >= 49)
  assert.deepEqual(of('byKnownDriver'), [], 'what is known is told by its statement')
  assert.equal(of('asking').length, 1)
  assert.deepEqual(of('answer'), [], 'a server asks nothing')
})

test('what the app writes to a socket is counted by its call', async () => {
  // A busy machine would have it go past its budget, and then not look at each.
  const writes = toWaits((await record('counted', {}, { budget: 10 })).recording).filter(({ kind }) => kind === 'socket')
  const of = (caller: string) => by(writes, caller).reduce((sum, { count, bytes }) => ({ count: sum.count + count, bytes: sum.bytes + bytes! }), { count: 0, bytes: 0 })
  assert.deepEqual(of('writeRow'), { count: 600, bytes: 600 * 12 })
  // What was corked is one.
  assert.deepEqual(of('main'), { count: 1, bytes: 600 * 9 })
  assert.ok(writes.every(({ sync }) => sync))
})

test('past its memory the recorder counts waits by operation and place, and says so', async () => {
  const { recording } = await record('counted', {}, { memory: 100_000, budget: 10 })
  const { countsSince, simplerSince } = recording.cost
  assert.ok(countsSince !== undefined && countsSince < recording.end)
  assert.equal(simplerSince, countsSince)
  const looks = toWaits(recording).filter(({ kind }) => kind === 'file')
  assert.equal(looks.reduce((sum, { count }) => sum + count, 0), 2020, 'none is lost')
  assert.ok(looks.every(({ caller }) => caller === 'look'))
  assert.equal(looks.filter(({ outcome }) => outcome === 'failed').reduce((sum, { count }) => sum + count, 0), 20)
  const { length } = recording.records.parent
  assert.ok(length < 5000, `${length} records, where each look has four`)
  for (const { count, time, longest } of recording.waits.counted!) assert.ok(count > 1 && longest > 0 && longest <= time && time <= count * longest)
})

test('an app whose `Error` is frozen works; its waits have no callers', async () => {
  const waits = await waitsOf('local', { NODE_OPTIONS: '--frozen-intrinsics' })
  assert.equal(waits.filter(({ statement, outcome }) => statement === 'readFile' && outcome === 'failed').length, 1)
  assert.ok(waits.every(({ caller }) => caller === undefined))
})

test('an option that is wrong is named, and one recording runs at a time', () => {
  assert.throws(() => recordWaits({ budget: -1 }), { code: 'GEORDI_OPTION_INVALID', message: /budget/ })
  assert.throws(() => recordWaits({ memory: NaN }), { code: 'GEORDI_OPTION_INVALID', message: /memory/ })
  assert.throws(() => recordWaits({ bugdet: 1 } as WaitsOptions), { code: 'GEORDI_OPTION_INVALID', message: /bugdet/ })
  const recorder = recordWaits()
  assert.throws(() => recordWaits(), { code: 'GEORDI_WAITS_STATE' })
  recorder.stop()
  assert.throws(() => recorder.stop(), { code: 'GEORDI_WAITS_STATE' })
})

test('the app notices nothing: the import changes nothing, and patched functions do what they did', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', fileURLToPath(new URL('../../test/fixtures/look.mjs', import.meta.url))], { timeout: 60_000 })
  assert.equal(stdout, '\n')
})
