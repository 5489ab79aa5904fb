import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Profile } from '@geordi/profile'
import type { Finding } from '../src/findings/finding.ts'
import { findIn } from '../src/findings/index.ts'
import { lookAt } from '../src/waits/look.ts'
import { repeat, RunBuilder, type TestWait } from './run-builder.ts'

const find = async (profile: Profile): Promise<Finding[]> => await findIn(lookAt(profile))

/** Found first, with waits recorded and without. */
async function firstInBoth (run: RunBuilder, cause: string): Promise<Finding> {
  for (const profile of [run.cpuProfile(), run.profile()]) assert.equal((await find(profile))[0]?.cause, cause)
  return (await find(run.profile()))[0]!
}

async function assertNone (run: RunBuilder): Promise<void> {
  for (const profile of [run.cpuProfile(), run.profile()]) assert.deepEqual((await find(profile)).map(({ cause, title }) => `${cause}: ${title}`), [])
}

const locations = ({ places }: Finding) => places.map(({ label, location }) => `${label} ${location}`)

describe('a regular expression', () => {
  const matching = (pattern: string, time: number) => new RunBuilder().run(['handler'], 20).run(['handler', 'isName', `RegExp: ${pattern}`], time).run(['handler'], 20)

  test('that backtracks is found with its growth, its caller, and the request\'s longest value', async () => {
    const run = matching('^(\\w+\\s?)+$', 800)
    const found = await firstInBoth(run, 'regex')
    assert.equal(found.subject, '/^(\\w+\\s?)+$/')
    assert.match(found.evidence.join(), /exponentially/)
    assert.deepEqual(locations(found), ['isName src/isName.js:1'])
    assert.ok(found.numbers.enough! > 10 && found.numbers.enough! < 100)
    const profile = run.profile()
    const [asked] = await find({ ...profile, run: { ...profile.run, request: { method: 'GET', url: `/?a=1&name=${'x'.repeat(28)}` } } })
    assert.equal(asked?.numbers.inputLength, 28)
    assert.match(asked.evidence.join(), /"name" with 28 characters/)
    assert.match((await firstInBoth(matching('\\s+$', 800), 'regex')).evidence.join(), /square/)
  })

  test('is found with the longest value wherever in the request it is', async () => {
    const inputOf = async (url: string, route: string, body = {}) => {
      const profile = matching('^(\\w+\\s?)+$', 800).profile()
      const request = { method: 'POST', url, ...body }
      const [found] = await find({ ...profile, run: { ...profile.run, request }, waits: { ...profile.waits!, route: { url: route, handler: -1, site: -1 } } })
      return found?.evidence[1]
    }
    const path = `/crew/${'x'.repeat(28)}%20y/ships`
    assert.equal(await inputOf(`${path}?q=abc`, '/crew/:name/:what'), 'the request\'s longest value is "name" of its path with 30 characters')
    assert.equal(await inputOf(`${path}?q=abc`, '/crew/*'), 'the request\'s longest value is "*" of its path with 36 characters')
    assert.equal(await inputOf(`${path}?q=abc`, '/api/:version/:name'), 'the request\'s longest value is "q" with 3 characters')
    assert.equal(await inputOf('/very-long-names-of-routes/7', '/very-long-names-of-routes/:id'), 'the request\'s longest value is "id" of its path with 1 character')
    assert.equal(await inputOf(path, '/crew/:name/ships', { bodyText: 'crew[].name', bodyTextLength: 31 }), 'the request\'s longest value is "crew[].name" of its body with 31 characters')
    assert.equal(await inputOf(path, '/crew/:name/ships', { bodyTextLength: 31 }), 'the request\'s longest value is its body with 31 characters')
    assert.equal(await inputOf('/', '/'), undefined)
  })

  test('that is linear is none, however long it takes; nor one that can\'t be read, nor a short one', async () => {
    for (const pattern of ['^(?:\\w+\\s)*\\w+$', '[&<>"\']', '^((?:[0-9A-F]{2}:){5}[0-9A-F]{2})$', '^(\\w+\\s?', '\\p{L']) await assertNone(matching(pattern, 800))
    await assertNone(matching('^(\\w+\\s?)+$', 40))
    await assertNone(matching('^(\\w+\\s?)+$', 60).run(['handler', 'render'], 800))
  })
})

describe('garbage collection', () => {
  const collecting = (work: number, gc: number) => {
    const run = new RunBuilder()
    repeat(10, () => run.run(['handler', 'typeFile'], work / 10).run(['(garbage collector)'], gc / 10))
    return run
  }

  test('above a share is found, with the function that it came after', async () => {
    const found = await firstInBoth(collecting(200, 300), 'garbage')
    assert.deepEqual(locations(found), ['typeFile src/typeFile.js:1'])
    assert.ok(Math.abs(found.numbers.cpuShare! - 0.6) < 0.001)
  })

  test('as usual is none, nor of a request that is short, or waits', async () => {
    await assertNone(collecting(450, 50))
    await assertNone(collecting(20, 30))
    await assertNone(collecting(100, 60).wait({ kind: 'timer', statement: 'setTimeout', target: '' }, 900))
  })
})

describe('synchronous input and output', () => {
  const reads: TestWait = { kind: 'file', statement: 'readFileSync', target: '/srv/data/a.txt', sync: true, stack: ['handler:3', 'loadAll:12'] }
  const blocking = (count: number, each: number) => {
    const run = new RunBuilder()
    repeat(count, () => {
      run.open(reads, run.now, run.now + each)
      run.run(['handler', 'loadAll', 'readFileSync node:fs', 'read'], each)
    })
    return run.run(['handler', 'render'], 100)
  }

  test('is found, by what was recorded or by its frames', async () => {
    const found = await firstInBoth(blocking(200, 0.5), 'sync-io')
    assert.deepEqual(locations(found), ['loadAll src/loadAll.js:12', 'handler src/handler.js:3'])
    assert.deepEqual([found.numbers.count, Math.round(found.numbers.total!)], [200, 100_000])
    const [byFrames] = await find(blocking(200, 0.5).cpuProfile())
    assert.deepEqual(locations(byFrames!), ['loadAll src/loadAll.js:1'])
    assert.match(byFrames!.evidence.join(), /readFileSync 100 ms/)
  })

  test('of a few files is none, nor what loads a module', async () => {
    await assertNone(blocking(3, 0.5))
    const loading = new RunBuilder().run(['handler', 'require node:internal/modules/helpers', 'readFileSync node:fs'], 45).run(['handler', 'render'], 100)
    await assertNone(loading)
  })

  test('of a database within the process is none: it can\'t be otherwise', async () => {
    const run = new RunBuilder()
    run.open({ ...reads, kind: 'sql', statement: 'select 1' }, 0, 90)
    await assertNone(run.run(['handler', 'loadAll', 'all node:sqlite'], 90))
  })

  test('that the thread pool could do is told as that; names of files aren\'t told apart', async () => {
    const hash = new RunBuilder().run(['handler'], 10)
    hash.open({ ...reads, kind: 'threadpool', statement: 'scryptSync', target: 'crypto' }, 10, 510)
    const [found] = await find(hash.run(['handler', 'loadAll', 'scryptSync node:internal/crypto/scrypt'], 500).profile())
    assert.match(found!.title, /^Work for the thread pool that blocks the thread: 500 ms$/)
    assert.match(found!.advice, /^Call scrypt instead/)
    assert.equal(found!.evidence.join(), 'scryptSync once, 500 ms')
    const command = new RunBuilder().run(['handler'], 10)
    command.open({ ...reads, kind: 'process', statement: 'execSync', target: 'convert' }, 10, 510)
    assert.match((await find(command.run(['handler', 'loadAll', 'execSync node:child_process'], 500).profile()))[0]!.advice, /^Call exec instead and await its end/)
    const files = new RunBuilder()
    repeat(30, at => {
      files.open({ ...reads, target: `/srv/${at}/a.txt` }, files.now, files.now + 5)
      files.run(['handler', 'loadAll', 'readFileSync node:fs'], 5)
    })
    assert.equal((await find(files.profile()))[0]?.evidence.join(), 'readFileSync 30 times, 150 ms')
  })
})

describe('tiny operations', () => {
  const flush: TestWait = { kind: 'threadpool', statement: 'stream flush', target: 'zlib', bytes: 200, stack: ['handler:3', 'writeRow:28'] }
  const many = (count: number, wait: TestWait, each: number) => {
    const run = new RunBuilder()
    repeat(count, () => run.wait(wait, each).run(['handler', 'toCsv'], 0.05))
    return run
  }

  test('by the thousand are found, in the thread pool and on files', async () => {
    const found = (await find(many(2000, flush, 0.1).profile()))[0]!
    assert.equal(found.cause, 'tiny-operations')
    assert.deepEqual([found.numbers.count, found.numbers.bytes], [2000, 400_000])
    assert.deepEqual(locations(found), ['writeRow src/writeRow.js:28', 'handler src/handler.js:3'])
    const files = new RunBuilder()
    repeat(1000, at => files.wait({ ...flush, kind: 'file', statement: 'stat', target: `/tmp/x/${at}.txt` }, 0.1)
      .wait({ ...flush, kind: 'file', statement: 'readFile', target: `/tmp/x/${at}.txt`, stack: ['handler:3', 'writeRow:29'] }, 0.1))
    assert.equal((await find(files.profile()))[0]?.numbers.count, 2000)
  })

  test('are found on sockets, by the time of the calls that write', async () => {
    const writes = (count: number, bytes: number, time: number): RunBuilder => {
      const run = new RunBuilder().run(['handler'], 10)
      run.open({ kind: 'socket', statement: 'write', target: '', sync: true, count, bytes: bytes * count, stack: ['handler:3', 'sendLine:9'] }, 10, 10 + time)
      return run.run(['handler', 'sendLine', 'writeUtf8String node:net'], time).run(['handler'], 100)
    }
    const [found, ...others] = await find(writes(5000, 80, 90).profile())
    assert.deepEqual([found?.cause, others.length], ['tiny-operations', 0])
    assert.deepEqual([found?.numbers.count, found?.numbers.bytes, Math.round(found?.time ?? 0)], [5000, 400_000, 90_000])
    assert.match(found!.title, /5,000 writes to sockets/)
    assert.deepEqual(locations(found!), ['sendLine src/sendLine.js:9', 'handler src/handler.js:3'])
    for (const run of [writes(400, 80, 90), writes(5000, 16_384, 90), writes(5000, 80, 10)]) assert.deepEqual(await find(run.profile()), [])
  })

  test('are none where they are large, long or some hundreds', async () => {
    await assertNone(many(2000, { ...flush, bytes: 65_536 }, 0.1))
    await assertNone(many(2000, flush, 3))
    await assertNone(many(400, flush, 0.1))
  })
})

describe('a module', () => {
  const LOADING = ['handler', 'outline', 'import node:internal/modules/esm/loader']

  test('that is loaded within the request is found', async () => {
    const found = await firstInBoth(new RunBuilder().run([...LOADING, '(anonymous) in typescript', 'createFactory in typescript'], 300).run(LOADING, 100), 'module-loading')
    assert.equal(found.subject, 'typescript')
    assert.deepEqual(locations(found), ['outline src/outline.js:1'])
    assert.ok(Math.abs(found.time - 400_000) < 1)
    // What it loads itself is a part of it; a file of the application's that asks for a package is none.
    const mongodb = [...LOADING, 'index in mongodb']
    const many = new RunBuilder().run([...mongodb, LOADING.at(-1)!, 'index in memory-pager'], 100).run([...mongodb, LOADING.at(-1)!], 200).run([...mongodb, LOADING.at(-1)!, 'index in bson'], 90)
    assert.equal((await firstInBoth(many, 'module-loading')).subject, 'mongodb')
    const own = new RunBuilder().run([...LOADING, 'store', ...mongodb.slice(1)], 100).run([...LOADING, 'store'], 60)
    assert.equal((await firstInBoth(own, 'module-loading')).subject, 'mongodb')
  })

  test('that is small is none, nor work that a loaded module does', async () => {
    await assertNone(new RunBuilder().run(LOADING, 40).run(['handler', 'render'], 100))
    await assertNone(new RunBuilder().run(['handler', 'outline', 'parse in typescript'], 400))
  })
})

describe('JSON and templates', () => {
  test('above a share are found', async () => {
    const json = await firstInBoth(new RunBuilder().run(['handler', 'answer', 'stringify node:JSON'], 300).run(['handler', 'answer', 'parse node:JSON'], 100).run(['handler'], 300), 'serialising')
    assert.match(json.title, /JSON: 400 ms/)
    assert.match(json.evidence.join(), /JSON\.stringify 300 ms; JSON\.parse 100 ms/)
    assert.deepEqual(locations(json), ['answer src/answer.js:1'])
    assert.match((await firstInBoth(new RunBuilder().run(['handler', 'page', 'render in ejs', 'row'], 300), 'serialising')).title, /templates: 300 ms/)
    const two = await firstInBoth(new RunBuilder().run(['handler', 'page', 'render in ejs'], 300).run(['handler', 'page', 'escape in ejs'], 100), 'serialising')
    assert.deepEqual(two.evidence, ['ejs 400 ms'])
  })

  test('in ordinary shares are none, nor a function of the application\'s that is called so', async () => {
    await assertNone(new RunBuilder().run(['handler', 'stringify node:JSON'], 100).run(['handler'], 400))
    await assertNone(new RunBuilder().run(['handler', 'render', 'stringify'], 400))
    await assertNone(new RunBuilder().run(['handler', 'stringify node:JSON'], 30).run(['handler'], 10))
  })
})

describe('a blocked event loop', () => {
  test('is found with the function that ran', async () => {
    const [found] = await find(new RunBuilder().run(['handler', 'annotate', 'sameLine'], 300).run(['handler', 'annotate', 'hashLine'], 300).block(0, 600).profile())
    assert.equal(found?.cause, 'blocked-loop')
    assert.deepEqual(locations(found), ['annotate src/annotate.js:1'])
    assert.match(found.title, /answers nobody for 600 ms/)
  })

  test('is none for slices, for a short one, and where another finding tells why', async () => {
    await assertNone(new RunBuilder().run(['handler', 'annotate'], 600))
    await assertNone(new RunBuilder().run(['handler', 'annotate'], 600).block(0, 90).block(100, 190))
    const module = new RunBuilder().run(['handler', 'require node:internal/modules/helpers', '(anonymous) in typescript'], 600).block(0, 600)
    assert.deepEqual((await find(module.profile())).map(({ cause }) => cause), ['module-loading'])
  })
})

describe('what the recorder itself takes', () => {
  test('blocks no loop of the run\'s, and its garbage is none of the run\'s', async () => {
    await assertNone(new RunBuilder().run(['handler', 'annotate'], 80).run(['(recording)'], 120).block(0, 200))
    const slowed = new RunBuilder().run(['handler', 'annotate'], 150).run(['(recording)'], 450).block(0, 600)
    assert.match((await find(slowed.profile()))[0]!.title, /answers nobody for 150 ms/)
    await assertNone(new RunBuilder().run(['handler'], 100).run(['(recording)'], 100).run(['(garbage collector)'], 200))
  })
})

test('what has none of the application\'s functions is told at the package\'s', async () => {
  const [blocked] = await find(new RunBuilder().run(['handler', 'ask'], 100).run(['parse in redis-parser', 'emit in redis-parser'], 400).block(0, 500).profile())
  assert.deepEqual([blocked?.cause, blocked?.places[0]?.label], ['blocked-loop', 'emit'])
  assert.match(blocked!.evidence.join(), /80\.0% of it in emit/)
  const [module] = await find(new RunBuilder().run(['getCodec in iconv-lite', 'require node:internal/modules/helpers'], 200).profile())
  assert.deepEqual([module?.cause, module?.places[0]?.label], ['module-loading', 'getCodec'])
  const shared = new RunBuilder().run(['handler', 'one'], 200).run(['handler', 'two'], 100).run(['emit in pg'], 250).block(0, 550)
  assert.deepEqual((await find(shared.profile()))[0]?.places.map(({ label }) => label), ['handler'])
})

describe('code that computes', () => {
  const computing = () => new RunBuilder().run(['handler', 'annotate', 'sameLine'], 600).run(['handler', 'annotate', 'hashLine in lodash'], 600)

  test('for long is found, in slices too, with the function', async () => {
    const [found, ...others] = await find(computing().run(['handler'], 100).profile())
    assert.deepEqual([found?.cause, others.length], ['computing', 0])
    assert.deepEqual(locations(found!), ['annotate src/annotate.js:1'])
    assert.ok(Math.abs(found!.time - 1_300_000) < 1)
    assert.match(found!.evidence.join(), /of the time, most of it in annotate/)
    const alone = new RunBuilder().run(['handler', 'annotate'], 1200).run(['handler'], 0.01)
    assert.equal((await find(alone.profile()))[0]?.evidence.at(-1), 'by themselves: annotate 1.20 s')
  })

  test('is none below a second, beside much waiting, without an application\'s code, where another finding tells why, and of a CPU profile', async () => {
    await assertNone(new RunBuilder().run(['handler', 'annotate'], 950))
    await assertNone(new RunBuilder().run(['boot in some-package'], 2000))
    assert.deepEqual(await find(computing().cpuProfile()), [])
    assert.deepEqual(await find(computing().wait({ kind: 'timer', statement: 'setTimeout', target: '' }, 1500).profile()), [])
    assert.deepEqual((await find(computing().block(0, 1200).profile())).map(({ cause }) => cause), ['blocked-loop'])
    assert.deepEqual((await find(computing().run(['handler', 'stringify node:JSON'], 1300).profile())).map(({ cause }) => cause), ['serialising'])
  })
})

test('a request that did little of anything has no findings', async () => {
  const run = new RunBuilder().run(['handler'], 3).wait({ statement: 'select 1' }, 4).run(['handler', 'stringify node:JSON'], 2).wait({ kind: 'pool', statement: 'free connection' }, 1)
  await assertNone(run)
  await assertNone(new RunBuilder())
})
