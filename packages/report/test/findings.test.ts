import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNone, AUTHOR, find, first, locations } from './find.ts'
import { repeat, RunBuilder, type TestWait } from './run-builder.ts'

/** So many queries one after the other, each of 1 ms, in a request of 300 ms. */
function queries (count: number, wait: (at: number) => TestWait): RunBuilder {
  const run = new RunBuilder().run(['handler'], 10)
  repeat(count, at => run.wait(wait(at), 1).run(['handler', 'countAuthors'], 0.1))
  return run.run(['handler', 'render'], Math.max(0, 300 - run.now))
}

describe('the same query for each row', () => {
  test('is found with its count, times, call and callers', async () => {
    const found = await first(queries(200, at => ({ ...AUTHOR, same: at + 1 })), 'n-plus-one')
    assert.equal(found.subject, AUTHOR.statement)
    assert.deepEqual(locations(found), ['loadAuthor src/loadAuthor.js:20', 'countAuthors src/countAuthors.js:12', 'handler src/handler.js:3'])
    assert.equal(found.numbers.count, 200)
    assert.ok(Math.abs(found.numbers.total! - 200_000) < 1)
    assert.ok(Math.abs(found.share - 200 / 300) < 0.01)
    assert.match(found.title, /same statement 200 times/)
    assert.match(found.advice, /one statement before the loop/)
  })

  test('is found where each row has many of another table; not where many are asked for at a time', async () => {
    const ofUser = { ...AUTHOR, statement: 'select id, total from orders where user_id = $1 order by id', rows: 60 }
    assert.equal((await first(queries(150, at => ({ ...ofUser, same: at + 1 })), 'n-plus-one')).numbers.count, 150)
    const latest = { ...ofUser, statement: 'select id from comments where post_id = $1 order by created desc limit $2', rows: 20 }
    assert.equal((await first(queries(150, at => ({ ...latest, same: at + 1 })), 'n-plus-one')).numbers.count, 150)
    // The next hundred of what is new.
    assert.deepEqual((await find(queries(150, () => ({ ...latest, statement: 'select id from jobs where state = $1 limit $2', same: 7 })))).map(({ cause }) => cause), ['identical'])
    for (const statement of [
      'select id from orders where shop = $1 and id > $2 order by id', 'select id from orders where shop = $1 order by id limit $2 offset $3', 'select id from orders where shop = ? limit ?, ?', 'select id from orders where user_id = any ($1)',
      'select id from orders where user_id in (…)', 'select id from orders where day between $1 and $2 and shop = $3', 'update orders set state = $1 where batch = $2'
    ]) await assertNone(queries(150, at => ({ ...ofUser, statement, same: at + 1 })))
  })

  test('leaves to others what took far longer than the rest: one slow statement is not the fault of those around it', async () => {
    const one = (rest: number) => queries(60, at => ({ ...AUTHOR, same: at + 1 })).wait({ ...AUTHOR, same: 61 }, 2000).run(['handler', 'render'], rest)
    assert.deepEqual((await find(one(0))).map(({ cause }) => cause), ['slow-operation'], 'of 2.3 s the others\' 60 ms are little')
    const two = queries(400, at => ({ ...AUTHOR, same: at + 1 })).wait({ ...AUTHOR, same: 401 }, 1000)
    const found = await find(two)
    assert.deepEqual(found.map(({ cause, time }) => [cause, Math.round(time / 1000)]), [['slow-operation', 1000], ['n-plus-one', 400]])
    assert.match(found[1]!.evidence.join(), /1 of them took far longer than that, 1\.00 s, which/)
    const hardly = queries(10_000, at => ({ ...AUTHOR, same: at + 1 })).wait({ ...AUTHOR, same: 0 }, 200)
    assert.equal((await first(hardly, 'n-plus-one')).evidence.length, 1)
  })

  test('is none for lists of keys or rows, whatever the answers; a list of states beside the key makes none', async () => {
    const counted = (statement: string) => queries(150, at => ({ ...AUTHOR, statement, rows: 1, same: at + 1 }))
    for (const statement of [
      'select count(*) from orders where user_id = any($1)', 'select sku from items where sku in (…)', 'insert into items values (…), … on conflict do nothing',
      'insert into items select * from unnest($1::int[], $2::text[])', 'update jobs set state = $1 where id = any ($2::int[])'
    ]) await assertNone(counted(statement))
    for (const statement of ['select id from orders where user_id = $1 and state in (…)', 'select id from orders where user_id in ($1)', 'insert into items values (…)']) {
      assert.equal((await first(counted(statement), 'n-plus-one')).numbers.count, 150)
    }
  })

  test('is found where rows have some of their answers in common, which is told; few questions are told as identical ones', async () => {
    const found = await first(queries(200, at => ({ ...AUTHOR, same: at % 40 + 1 })), 'n-plus-one')
    assert.equal(found.numbers.count, 200)
    assert.match(found.evidence.join(), /160 of them asked for what another had/)
    const few = await find(queries(200, at => ({ ...AUTHOR, same: at % 5 + 1 })))
    assert.deepEqual(few.map(({ cause, numbers: { count } }) => [cause, count]), new Array(5).fill(['identical', 40]))
  })

  test('tells what to do of an insert for each row, of keys of a cache, and of the rows of another service', async () => {
    assert.match((await first(queries(150, at => ({ ...AUTHOR, statement: 'insert into log values ($1)', same: at + 1 })), 'n-plus-one')).advice, /Insert many rows/)
    assert.match((await first(queries(150, at => ({ ...AUTHOR, kind: 'cache', statement: 'get', same: at + 1 })), 'n-plus-one')).advice, /MGET/)
    const http = await first(queries(150, at => ({ ...AUTHOR, kind: 'http', statement: `GET /users/${at}/avatar?size=`, target: 'https://api', same: at + 1 })), 'n-plus-one')
    assert.equal(http.subject, 'GET api/users/{id}/avatar?size=')
    const objects = await first(queries(100, at => ({ ...AUTHOR, kind: 'http', statement: `GET /bucket/invoice-${at + 1}.pdf?x-id=`, target: 'https://api' })), 'n-plus-one')
    assert.equal(objects.subject, 'GET api/bucket/{id}?x-id=')
  })

  test('is found of what changes something, with the same values too: no other finding tells it; of who asks again until it works it is not', async () => {
    const same = { ...AUTHOR, same: 7 }
    for (const wait of [{ ...same, statement: 'update counters set n = n + 1' }, { ...same, kind: 'http', statement: 'POST /rpc', target: 'https://api' }] as const) {
      const found = await first(queries(150, () => wait), 'n-plus-one')
      assert.equal(found.evidence.length, 1, 'what a POST sends isn\'t known')
    }
    const again = new RunBuilder().run(['handler'], 10)
    repeat(20, () => again.wait({ ...same, kind: 'http', statement: 'POST /lock', target: 'https://api' }, 5).wait({ kind: 'timer', statement: 'setTimeout' }, 20))
    await assertNone(again)
  })

  test('says how many are under way at a time where it is more than one, and advises nobody to do what they do', async () => {
    const http: TestWait = { kind: 'http', statement: 'GET /users/7', target: 'https://api', stack: ['handler:3', 'loadUser:9'] }
    const fanned = new RunBuilder().run(['handler'], 10)
    repeat(60, at => fanned.open({ ...http, statement: `GET /users/${at}` }, 10 + Math.floor(at / 20) * 100, 110 + Math.floor(at / 20) * 100))
    const found = await first(fanned, 'n-plus-one')
    assert.equal(found.title, 'The same service is asked 60 times, some 20 at a time')
    assert.equal(found.advice, 'Ask the service for all of them in one request.')
    const inTurn = await first(queries(150, at => ({ ...http, statement: `GET /users/${at}` })), 'n-plus-one')
    assert.match(inTurn.title, /150 times, one by one$/)
    assert.match(inTurn.advice, /several at a time/)
  })

  test('is found where rows have names instead of numbers, if one call asks for all; not of resources of their own', async () => {
    const http = (statement: string, stack = ['handler:3', 'get:9']): TestWait => ({ kind: 'http', statement, target: 'https://api', stack })
    const word = (at: number) => [...String(at)].map(digit => 'abcdefghij'[Number(digit)]).join('')
    const found = await first(queries(150, at => http(`GET /users/${word(at)}/avatar?size=`)), 'n-plus-one')
    assert.equal(found.subject, 'GET api/users/{name}/avatar?size=')
    assert.equal(found.numbers.count, 150)
    await assertNone(queries(150, at => http(`GET /${word(at)}`, [`handler:${at + 3}`, 'get:9'])))
    await assertNone(queries(9, at => http(`GET /${word(at)}`)))
  })

  test('is found of a driver that isn\'t known, where there are many with small answers', async () => {
    const exchange: TestWait = { ...AUTHOR, kind: 'network', statement: 'exchange', target: 'db:5432', parameters: false, same: 0, bytes: 200 }
    const found = await first(queries(150, () => exchange), 'n-plus-one')
    assert.match(found.title, /same server is asked 150 times/)
    assert.match(found.advice, /all of them at once/)
    await assertNone(queries(150, () => ({ ...exchange, bytes: 5000 })))
    const few = new RunBuilder().run(['handler'], 10)
    repeat(29, () => few.wait(exchange, 10).run(['handler', 'countAuthors'], 0.1))
    await assertNone(few)
  })

  test('is found where the recorder only counted, with all of them; what one row stands for is no slow statement', async () => {
    const counted = (wait: TestWait) => new RunBuilder().run(['handler'], 10).wait({ ...wait, count: 1000 }, 400).wait({ ...wait, count: 500 }, 100)
    const run = counted({ ...AUTHOR, rows: 1000 })
    assert.deepEqual((await find(run)).map(({ cause }) => cause), ['n-plus-one'])
    const { numbers } = await first(run, 'n-plus-one')
    assert.deepEqual([numbers.count, Math.round(numbers.total!), Math.round(numbers.median!)], [1500, 500_000, 400])
    await assertNone(counted({ ...AUTHOR, rows: 500_000 }))
    assert.equal((await first(counted({ ...AUTHOR, same: 7 }), 'identical')).numbers.count, 1500)
  })

  test('is none for nine of them, for batches, for cursors and transactions, for a pipeline, and where it hardly takes time', async () => {
    await assertNone(queries(9, at => ({ ...AUTHOR, same: at + 1 })))
    await assertNone(queries(150, at => ({ ...AUTHOR, rows: 500, same: at + 1 })))
    for (const statement of ['fetch 100 from rows', 'begin', 'commit', 'select ?']) await assertNone(queries(150, at => ({ ...AUTHOR, statement, same: at + 1 })))
    const pipeline = new RunBuilder().run(['handler'], 10)
    repeat(500, at => pipeline.open({ ...AUTHOR, kind: 'cache', statement: 'get', same: at + 1 }, 10, 40))
    await assertNone(pipeline)
    await assertNone(queries(15, at => ({ ...AUTHOR, same: at + 1 })))
  })

  test('is found in Promise.all(), too, and is then not said to be one after the other', async () => {
    const together = new RunBuilder()
    repeat(200, at => together.open({ ...AUTHOR, same: at + 1 }, 10 * Math.floor(at / 10), 10 * Math.floor(at / 10) + 10))
    assert.equal((await first(together, 'n-plus-one')).title, 'The same statement 200 times, some 10 at a time')
  })

  test('is none for the pages of one list, but is for those of many things', async () => {
    const paged = (statement: (at: number) => string) => queries(150, at => ({ ...AUTHOR, kind: 'http', statement: statement(at), same: at + 1 }))
    for (const key of ['page=', 'limit=&offset=', 'starting_after=', 'pageToken=', 'continuation-token=', 'page%5Bnumber%5D=', 'since_id=', 'ExclusiveStartKey=']) await assertNone(paged(() => `GET /orders?${key}`))
    await assertNone(paged(at => `GET /orders/page/${at + 1}?size=`))
    for (const statement of ['GET /users?ids=&fields=', 'GET /users?filter%5B%5D=', 'GET /users?userIds=', 'POST /users/_bulk', 'POST /users/batch?dry=', 'POST /v1/users:batchGet', 'PUT /bucket/film.mp4?partNumber=&uploadId=']) {
      await assertNone(paged(() => statement))
    }
    for (const statement of ['GET /users?rid=', 'GET /batches', 'GET /users?grids=', 'GET /batch/{id}', 'GET /apis/batch/v1/jobs/{name}']) await first(paged(() => statement), 'n-plus-one')
    await first(paged(at => `GET /users/${at + 1}/orders/page/2`), 'n-plus-one')
    for (const statement of ['GET /orders?id=&per_page=', 'GET /pages?id=']) await first(paged(() => statement), 'n-plus-one')
    await first(paged(at => `GET /users/${at + 1}/orders?page=`), 'n-plus-one')
    await first(paged(at => `GET /users/${'abcdefghijkl'[at % 12]}lf/orders?page=`), 'n-plus-one')
  })

  test('is found of a database within the process, where it has much of the time; that it blocks is then explained', async () => {
    const within = (each: number, same: (at: number) => number) => {
      const run = new RunBuilder()
      repeat(300, at => {
        run.open({ ...AUTHOR, sync: true, same: same(at), stack: ['handler:3', 'loadAuthor:20'] }, run.now, run.now + each)
        run.run(['handler', 'loadAuthor', 'get in better-sqlite3'], each)
      })
      return run.run(['handler', 'render'], 100)
    }
    const found = await first(within(0.5, at => at + 1).block(0, 250), 'n-plus-one')
    assert.deepEqual([found.numbers.count, Math.round(found.time)], [300, 150_000])
    assert.deepEqual(locations(found), ['loadAuthor src/loadAuthor.js:20', 'handler src/handler.js:3'])
    assert.equal((await find(within(0.5, at => at + 1).block(0, 250))).length, 1)
    assert.equal((await first(within(0.5, () => 7), 'identical')).numbers.count, 300)
    await assertNone(within(0.1, at => at + 1))
  })

  test('is found of one whose functions V8 tells no frame of; that the recorder interrupted a statement makes it no slow one', async () => {
    const run = new RunBuilder()
    repeat(300, at => {
      const held = at === 200 ? 150 : 0
      run.open({ ...AUTHOR, sync: true, same: at + 1, stack: ['handler:3', 'loadAuthor:20'] }, run.now, run.now + 0.5 + held)
      run.run(['handler', 'loadAuthor'], 0.5).run(['(recording)'], held)
    })
    const [found, ...others] = await find(run.run(['handler', 'render'], 100))
    assert.deepEqual([found?.cause, Math.round(found!.time), others.length], ['n-plus-one', 150_000, 0])
  })

  test('is none where nobody knows who asked: a driver by itself', async () => {
    await assertNone(queries(200, at => ({ ...AUTHOR, kind: 'cache', statement: 'info', same: at + 1, stack: [] })))
  })

  test('of a function that calls itself, names who called that, too', async () => {
    const stack = ['handler:3', 'walk:9', 'walk:9', 'walk:12']
    assert.deepEqual(locations(await first(queries(200, at => ({ ...AUTHOR, same: at + 1, stack })), 'n-plus-one')), ['walk src/walk.js:12', 'handler src/handler.js:3'])
  })

  test('is none for different statements, nor for one from many places', async () => {
    await assertNone(queries(150, at => ({ ...AUTHOR, statement: `select a${at} from t`, same: at + 1 })))
    await assertNone(queries(150, at => ({ ...AUTHOR, stack: [`handler:${at + 1}`], same: at + 1 })))
  })
})

describe('the identical question again and again', () => {
  const units: TestWait = { kind: 'cache', statement: 'get', target: 'cache:6379', same: 7, stack: ['handler:3', 'loadUnits:9'] }

  test('is found for a key, a query and a URL', async () => {
    const found = await first(queries(100, () => units), 'identical')
    assert.equal(found.numbers.count, 100)
    assert.deepEqual(locations(found), ['loadUnits src/loadUnits.js:9', 'handler src/handler.js:3'])
    assert.ok(Math.abs(found.time - 99_000) < 1, 'the first one has to be asked')
    await first(queries(100, () => ({ ...AUTHOR, same: 7 })), 'identical')
    assert.match((await first(queries(100, () => ({ ...units, kind: 'http', statement: 'GET /rates' })), 'identical')).title, /same URL .* 100 times/)
  })

  test('is found from several places', async () => {
    const found = await first(queries(100, at => ({ ...units, stack: [`handler:${at % 4 + 1}`] })), 'identical')
    assert.match(found.evidence.join(), /from 4 places/)
  })

  test('is none where the values aren\'t known or others, and for what changes something', async () => {
    assert.deepEqual((await find(queries(100, () => ({ ...AUTHOR, same: 0 })))).map(({ cause }) => cause), ['n-plus-one'])
    for (const statement of ['incr', 'lpop', 'blpop', 'xread']) {
      assert.deepEqual((await find(queries(100, () => ({ ...units, statement })))).filter(({ cause }) => cause === 'identical'), [])
    }
    for (const statement of ["select nextval('ids')", 'select now()', 'select * from jobs for update skip locked', 'insert into t values ($1)', 'with gone as (delete from t) select 1']) {
      assert.deepEqual((await find(queries(100, () => ({ ...AUTHOR, statement, same: 7 })))).filter(({ cause }) => cause === 'identical'), [], statement)
    }
  })

  test('is none for who asks until the answer changes, nor where something was written in between', async () => {
    const polling = new RunBuilder()
    repeat(20, () => polling.wait({ ...units, kind: 'http', statement: 'GET /jobs/status' }, 10).wait({ kind: 'timer', statement: 'setTimeout', target: '', stack: ['handler:4'] }, 20))
    assert.deepEqual((await find(polling)).filter(({ cause }) => cause === 'identical'), [])
    const asks: TestWait = { ...units, kind: 'http', statement: 'GET /jobs/status' }
    const interval: TestWait = { kind: 'timer', statement: 'setInterval', target: '', aside: true, stack: ['handler:4'] }
    const ticking = new RunBuilder()
    repeat(20, () => {
      ticking.open(interval, ticking.now, ticking.now + 30)
      ticking.wait(asks, 10)
      ticking.now += 20
    })
    assert.deepEqual(await find(ticking), [])
    // A heartbeat beside them leads to none of them.
    const beside = new RunBuilder()
    for (let at = 0; at < 600; at += 300) beside.open(interval, at, at + 300)
    repeat(20, () => { beside.wait(asks, 10).now += 20 })
    assert.equal((await find(beside))[0]?.cause, 'identical')
    // Nor does a time limit to all of them that nobody clears.
    const limited = new RunBuilder()
    limited.open({ kind: 'timer', statement: 'setTimeout', target: '', stack: ['handler:2'] }, 0, 601)
    repeat(20, () => { limited.wait(asks, 10).now += 20 })
    assert.equal((await find(limited))[0]?.cause, 'identical')
    const rewriting = new RunBuilder()
    repeat(20, at => rewriting.wait({ ...AUTHOR, same: 7 }, 3).wait({ statement: 'update counters set n = n + $1', same: at + 1, stack: ['handler:5'] }, 3))
    assert.deepEqual((await find(rewriting)).filter(({ cause }) => cause === 'identical'), [])
  })
})

describe('a slow operation', () => {
  const REPORT: TestWait = { statement: 'select sum(total) from orders', stack: ['handler:3', 'loadReport:8'] }

  test('is found for one statement among many', async () => {
    const found = await first(queries(100, at => ({ ...AUTHOR, stack: [`handler:${at}`], same: at + 1 })).wait(REPORT, 700), 'slow-operation')
    assert.match(found.title, /One slow statement: 700 ms/)
    assert.deepEqual(locations(found), ['loadReport src/loadReport.js:8', 'handler src/handler.js:3'])
    assert.ok(Math.abs(found.share - 0.7) < 0.01)
    assert.doesNotMatch(found.evidence.join(), /with/)
    assert.deepEqual((await first(new RunBuilder().wait({ ...REPORT, values: "[ 'enterprise', 1701 ]" }, 700), 'slow-operation')).evidence, ['asked once, answered after 700 ms', "values of the slowest: [ 'enterprise', 1701 ]"])
    for (const [outcome, end] of [['failed', 'failed'], ['open', 'not answered']] as const) {
      assert.deepEqual((await first(new RunBuilder().wait({ ...REPORT, outcome }, 700), 'slow-operation')).evidence, [`asked once, ${end} after 700 ms`])
    }
    const retried = new RunBuilder().wait({ ...REPORT, outcome: 'failed' }, 700).wait(REPORT, 800)
    assert.deepEqual((await first(retried, 'slow-operation')).evidence, ['asked 2 times, 1.50 s in all, the slowest 800 ms', '1 of them failed'])
    const changing = await first(new RunBuilder().wait({ ...REPORT, statement: 'update orders set total = ?' }, 900), 'slow-operation')
    assert.match(changing.advice, /waits for a lock/)
    const others = { http: /Another service/, network: /Another server takes/, process: /child process/, worker: /another thread/, threadpool: /One piece of work for the thread pool/, file: /operation on a file/, dns: /name takes long/, connect: /connection takes long/ } as const
    for (const [kind, words] of Object.entries(others)) assert.match((await first(new RunBuilder().wait({ kind: kind as keyof typeof others, statement: 'GET /slow', target: 'https://api' }, 900), 'slow-operation')).title, words)
  })

  test('says of work in other threads that it may have waited for one, where there is much of it at a time', async () => {
    const task: TestWait = { kind: 'worker', statement: 'task', target: '/srv/thumbnail.js', stack: ['handler:3'] }
    const many = new RunBuilder()
    repeat(30, at => many.open(task, 0, 12 * (1 + Math.floor(at / 2))))
    const found = await first(many, 'slow-operation')
    assert.match(found.evidence.join(), /some 16 at a time: a part of that is waiting for a free thread/)
    assert.match(found.advice, /more threads/)
    const alone = await first(new RunBuilder().wait(task, 900), 'slow-operation')
    assert.doesNotMatch(alone.evidence.join() + alone.advice, /free thread|more threads/)
  })

  test('is none below 100 ms, for a small share, while something else ran, and for a timer', async () => {
    await assertNone(new RunBuilder().wait(REPORT, 95))
    await assertNone(new RunBuilder().wait(REPORT, 150).run(['handler', 'render'], 900))
    const busy = new RunBuilder().run(['handler', 'render'], 500)
    busy.open(REPORT, 0, 500)
    await assertNone(busy)
    // Who waits for work to come into a list gets it when there is some.
    const pop: TestWait = { kind: 'cache', statement: 'blpop', target: 'cache:6379', stack: ['handler:3'] }
    await assertNone(new RunBuilder().wait(pop, 900))
    await assertNone(queries(150, at => ({ ...pop, same: at + 1 })))
    await assertNone(new RunBuilder().wait({ kind: 'timer', statement: 'setTimeout', target: '' }, 900))
  })
})

describe('operations one after the other', () => {
  const section = (at: number, more: Partial<TestWait> = {}): TestWait => ({ statement: `select ${'abcdefgh'[at]} from t`, stack: ['handler:1', `dashboard:${at + 10}`, `load${at}:5`], ...more })

  test('are found as a possibility, with what they might save', async () => {
    const run = new RunBuilder()
    repeat(5, at => run.wait(section(at), 60))
    const found = await first(run, 'sequential')
    assert.match(found.title, /5 operations .* possibly independent/)
    assert.match(found.evidence.join(), /lines 10, 11, 12, 13, 14/)
    assert.deepEqual(locations(found), ['dashboard src/dashboard.js:10'])
    assert.ok(Math.abs(found.time - 240_000) < 1)
    const recent = new RunBuilder()
    repeat(5, at => recent.wait(section(at, { statement: `select ${'abcde'[at]} from t where placed > now() - interval ?` }), 60))
    await first(recent, 'sequential')
    const oneLine = new RunBuilder()
    repeat(5, at => oneLine.wait(section(at, { stack: [`handler:7:${at + 1}`] }), 60))
    assert.match((await first(oneLine, 'sequential')).evidence.join(), /awaited in line 7$/)
  })

  test('are found where all have the values that the first one had', async () => {
    const run = new RunBuilder()
    repeat(5, at => run.wait(section(at, { statement: `select ${'abcde'[at]} from t where id = $1`, parameters: true, same: 9 }), 60))
    await first(run, 'sequential')
  })

  test('are none where they have values of their own, write, are two, overlap, save little or are in a transaction', async () => {
    const of = (one: (run: RunBuilder, at: number) => void, count = 5) => {
      const run = new RunBuilder()
      repeat(count, at => one(run, at))
      return run
    }
    await assertNone(of((run, at) => run.wait(section(at, { statement: `select ${'abcde'[at]} from t where id = $1`, parameters: true, same: at + 1 }), 60)))
    await assertNone(of((run, at) => run.wait(section(at, { statement: `update t${at} set a = ?` }), 60)))
    await assertNone(of((run, at) => run.wait(section(at), 60), 2))
    await assertNone(of((run, at) => run.open(section(at), at * 10, 80)))
    await assertNone(of((run, at) => run.wait(section(at), 10)))
    const begin: TestWait = { statement: 'begin', stack: ['handler:1', 'dashboard:9'] }
    const within = new RunBuilder().wait(begin, 1)
    repeat(5, at => within.wait(section(at), 60))
    await assertNone(within.wait({ ...begin, statement: 'commit' }, 1))
  })

  test('are none for one line that a loop comes to again and again', async () => {
    const run = new RunBuilder()
    repeat(5, at => run.wait(section(0, { statement: `select ${'abcde'[at]} from t` }), 60))
    await assertNone(run)
  })
})

describe('a lock', () => {
  const update: TestWait = { statement: 'update accounts set n = $1', stack: ['handler:3', 'touch:7'] }

  test('of PostgreSQL is found, with who held it, and is then no slow statement', async () => {
    const run = new RunBuilder().wait(update, 700).lock({ wait: 0, kind: 'row', time: 650_000, holder: 'nightly-job, process 7: update accounts set n = ?' })
    const found = await find(run)
    assert.deepEqual(found.map(({ cause }) => cause), ['database-lock'])
    assert.match(found[0]!.title, /row lock of another transaction: 650 ms/)
    assert.match(found[0]!.evidence.join(), /held by nightly-job/)
    assert.deepEqual(locations(found[0]!), ['touch src/touch.js:7', 'handler src/handler.js:3'])
    for (const [kind, words] of [['table', /table lock/], ['advisory', /advisory lock/]] as const) {
      assert.match((await first(new RunBuilder().wait(update, 700).lock({ wait: 0, kind, time: 650_000, holder: '' }), 'database-lock')).title, words)
    }
  })

  test('leaves a statement\'s own time: what may have been the lock is none of it, what it was seen to do is', async () => {
    const locked = (time: number, most: number) => new RunBuilder().wait(update, 2000).lock({ wait: 0, kind: 'row', time: time * 1000, most: most * 1000, holder: '' })
    const causes = async (run: RunBuilder) => (await find(run)).map(({ cause }) => cause)
    // A busy process came to look once.
    assert.deepEqual(await causes(locked(300, 1950)), ['database-lock'])
    assert.deepEqual(await causes(locked(1900, 1950)), ['database-lock'])
    const [slow, lock] = await find(locked(600, 700))
    assert.deepEqual([slow?.cause, lock?.cause], ['slow-operation', 'database-lock'])
    assert.match(slow!.title, /1\.30 s/)
    assert.match(slow!.evidence.join(), /for 1\.30 s of that it did not wait for a lock/)
    assert.equal(slow!.time, 1_300_000)
  })

  test('that PostgreSQL doesn\'t tell of is none: an update may be slow by itself; nor a short one', async () => {
    assert.deepEqual((await find(new RunBuilder().wait(update, 700))).map(({ cause }) => cause), ['slow-operation'])
    const short = new RunBuilder().wait(update, 90).run(['handler'], 500).lock({ wait: 0, kind: 'row', time: 10_000, holder: '' })
    await assertNone(short)
  })

  test('may be the reason where the server doesn\'t tell this user: a change says so, what only reads doesn\'t', async () => {
    const of = async (wait: TestWait, server: string) => (await first(new RunBuilder().wait({ ...wait, target: 'db' }, 700).silent(server), 'slow-operation')).evidence.join()
    assert.match(await of(update, 'db'), /right PROCESS/)
    assert.doesNotMatch(await of(update, 'another'), /PROCESS/)
    assert.doesNotMatch(await of({ ...update, statement: 'select * from accounts' }, 'db'), /PROCESS/)
  })

  test('of the process is found', async () => {
    const run = new RunBuilder()
    repeat(8, at => run.open({ kind: 'lock', statement: 'acquire', target: '', stack: ['handler:3', 'inTurn:5'] }, 0, at * 50))
    const found = await first(run, 'mutex')
    assert.equal(found.numbers.count, 8)
    assert.equal(found.title, 'Waits for a lock of its own process 8 times, up to 350 ms')
    assert.deepEqual(locations(found), ['inTurn src/inTurn.js:5', 'handler src/handler.js:3'])
    const free = new RunBuilder()
    repeat(800, () => free.wait({ kind: 'lock', statement: 'acquire', target: '' }, 0.01).run(['handler'], 1))
    await assertNone(free)
  })
})

describe('a pool', () => {
  const pool = (statement: string, of: Partial<TestWait> = {}): RunBuilder => {
    const run = new RunBuilder()
    repeat(6, at => run.open({ kind: 'pool', statement, ...of, stack: ['handler:3', 'load:5'] }, 0, 50 + at * 20))
    return run
  }

  test('without a free connection is found; one that opens a connection is not, nor one that has one at once', async () => {
    const found = await first(pool('free connection'), 'pool')
    assert.equal(found.title, 'Waits for a free connection 6 times, up to 150 ms')
    assert.equal(found.evidence[0], '600 ms in all, each in full where several wait at once')
    const alone = await first(new RunBuilder().wait({ kind: 'pool', statement: 'free connection', connections: 2 }, 80), 'pool')
    assert.deepEqual([alone.title, ...alone.evidence], ['Waits for a free connection once: 80.0 ms', 'both connections of the pool were in use'])
    assert.deepEqual(locations(found), ['load src/load.js:5', 'handler src/handler.js:3'])
    assert.match(found.evidence.join(), /all connections of the pool were in use/)
    assert.match((await first(pool('free connection', { connections: 1 }), 'pool')).evidence.join(), /the pool's only connection was in use/)
    const sized = await first(pool('free connection', { connections: 10 }), 'pool')
    assert.match(sized.evidence.join(), /all 10 connections of the pool were in use/)
    assert.equal(sized.numbers.connections, 10)
    await assertNone(pool('new connection'))
    const free = new RunBuilder()
    repeat(300, () => free.wait({ kind: 'pool', statement: 'free connection' }, 0.05).run(['handler'], 2))
    await assertNone(free)
  })
})
