import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { connectDatabase, prepareDatabase } from '../src/database.ts'
import { startCacheServer, type CacheServer } from '../src/cache/server.ts'
import { profileRoute, type Profiled } from './profile-route.ts'
import { startTestServer, type TestServer } from './running-app.ts'

const SOURCES = new URL('../../src/', import.meta.url)

let started: TestServer
let cache: CacheServer

before(async () => {
  started = await startTestServer()
  cache = await startCacheServer()
  const database = connectDatabase(started.settings.databaseUrl, () => {})
  try {
    await prepareDatabase(database)
  } finally {
    await database.end()
  }
  const { databaseUrl, queueUrl, geordiSecret, sessionSecret } = started.settings
  Object.assign(process.env, {
    DATABASE_URL: databaseUrl,
    GEORDI_QUEUE_URL: queueUrl,
    CACHE_URL: cache.url,
    GEORDI_SECRET: geordiSecret,
    SESSION_SECRET: sessionSecret,
    // There the app tells what it has counted.
    LOG_LEVEL: 'info'
  })
})

after(async () => {
  try {
    await cache?.stop()
  } finally {
    await started?.server.stop()
  }
})

/** What the graph shows, what it leaves out and what is in no function make the wall time, which is the bar's; and that holds what the route has counted. */
function assertTotal ({ run: { wallTime }, times: { total }, nodes, other, outside, counted }: Profiled): void {
  const shown = [...nodes.map(({ self }) => self), other.self, ...Object.values(outside)].reduce((sum, time) => sum + time, 0)
  assert.ok(Math.abs(shown - wallTime) < 1 && Math.abs(total - wallTime) < 1, `${shown} and ${total} of ${wallTime} µs`)
  assert.ok(wallTime / 1000 >= counted['milliseconds']! - 0.1, `${wallTime} µs, of which ${counted['milliseconds']} ms are the route's`)
}

/** `src/work/authors.ts:28`, by a text of that line: numbers of lines change. */
async function placeOf (file: string, text: string): Promise<string> {
  const line = (await readFile(new URL(file, SOURCES), 'utf8')).split('\n').findIndex(line => line.includes(text)) + 1
  assert.ok(line > 0, `${text} is not in ${file}`)
  return `src/${file}:${line}`
}

interface Expected {
  readonly url: string
  readonly cause: string
  /** What may be first instead, because the route has both and what else the machine does decides which costs more. */
  readonly or?: Omit<Expected, 'url'>
  /** What the finding is about. */
  readonly subject?: RegExp
  /** What the route counts itself, for these parameters. */
  readonly numbers?: Readonly<Record<string, number>>
  /** Times in the finding, and what the route has measured around the very same: name by name. */
  readonly times?: Readonly<Record<string, string>>
  /** The same where what is around each of many operations takes time as well: the finding tells less than the route has measured, never more. */
  readonly atMost?: Readonly<Record<string, string>>
  /** Functions of the graph, whose time, with what recording them took, is what the route has measured around their calls. */
  readonly spent?: Readonly<Record<string, string>>
  /** The function, its file, and a text of the line, or of lines that are as costly; a folder and no text where several functions share the work. */
  readonly at: readonly [label: RegExp, file: string, ...texts: string[]]
}

const ROUTES: readonly Expected[] = [
  { url: '/slow/cpu?ms=500', cause: 'blocked-loop', at: [/^\w+$/, 'work/'] },
  { url: '/slow/queries?n=400', cause: 'n-plus-one', subject: /^SELECT author FROM demo.commits WHERE id = \$1$/, numbers: { count: 400 }, atMost: { total: 'waited' }, spent: { loadAuthor: 'waited' }, at: [/^loadAuthor$/, 'work/authors.ts', 'await database.query'] },
  { url: '/slow/statement?commits=800', cause: 'slow-operation', subject: /^WITH latest AS/, numbers: { count: 1 }, times: { total: 'waited' }, at: [/^compareMessages$/, 'slow/similarity.ts', 'database.query'] },
  { url: '/slow/cache?n=500', cause: 'identical', subject: /^get 127/, numbers: { count: 500 }, atMost: { total: 'waited' }, spent: { loadUnits: 'waited' }, at: [/^loadUnits$/, 'slow/cache.ts', 'await cache.get'] },
  { url: '/slow/lock?commits=800', cause: 'database-lock', subject: /^UPDATE demo.repositories/, numbers: { count: 1 }, times: { total: 'waited', locked: 'held' }, at: [/^touchRepository$/, 'slow/lock.ts', 'await database.query'] },
  { url: '/slow/pool', cause: 'pool', numbers: { count: 6 }, times: { total: 'waited', max: 'longestWait' }, at: [/^loadSection$/, 'slow/pool.ts', 'await pool.connect'] },
  { url: '/slow/mutex', cause: 'mutex', numbers: { count: 8 }, times: { total: 'waited', max: 'longestWait' }, at: [/^loadInTurn$/, 'slow/mutex.ts', 'await turn.acquire'] },
  { url: '/slow/serial', cause: 'sequential', numbers: { count: 8 }, times: { total: 'waited', max: 'longestWait' }, at: [/^loadDashboardOneByOne$/, 'slow/serial.ts', 'await dashboard.listWords'] },
  { url: `/slow/regex?q=${'a'.repeat(25)}!`, cause: 'regex', subject: /^\/\^\(\\w\+\\s\?\)\+\$\/$/, numbers: { inputLength: 26 }, times: { time: 'matching' }, at: [/^isPlainText$/, 'slow/regex.ts', 'function isPlainText'] },
  {
    url: '/slow/io?files=1000',
    cause: 'tiny-operations',
    numbers: { count: 2000 },
    spent: { readFiles: 'waited', writeFiles: 'blocked' },
    atMost: { total: 'waited' },
    at: [/^readFiles$/, 'slow/io.ts', 'await stat(', 'await readFile('],
    or: { cause: 'sync-io', numbers: { count: 2000 }, spent: { readFiles: 'waited', writeFiles: 'blocked' }, atMost: { total: 'blocked' }, at: [/^writeFiles$/, 'slow/io.ts', 'writeFileSync(path'] }
  },
  { url: '/slow/gzip?rows=5000', cause: 'tiny-operations', subject: /zlib/, numbers: { most: 5000 }, atMost: { total: 'waited' }, spent: { writeRow: 'waited' }, at: [/^writeRow$/, 'slow/gzip.ts', 'gzip.write(line)'] },
  { url: '/slow/socket?lines=10000', cause: 'tiny-operations', subject: /^write$/, numbers: { count: 10_000 }, atMost: { total: 'waited' }, spent: { sendLine: 'waited' }, at: [/^sendLine$/, 'slow/socket.ts', 'socket.write('] },
  { url: '/slow/startup', cause: 'module-loading', subject: /^typescript$/, times: { total: 'waited' }, at: [/^outlineFile$/, 'slow/startup.ts', 'function outlineFile'] },
  { url: '/slow/forever?s=2', cause: 'computing', at: [/^\w+$/, 'work/'] },
  { url: '/slow/gc?rounds=5', cause: 'garbage', times: { total: 'collecting' }, at: [/^typeFile$/, 'slow/gc.ts', 'function typeFile ('] }
]

/** A machine that is busy with other things takes the processor away between the route's clock and the report's: then they are held against each other again. */
const TRIES = 4

/** What in the first finding is not as the route expects: its times alone may be so by chance. */
async function checkFirst ({ findings: found, nodes, outside, counted }: Profiled, { or, ...usual }: Omit<Expected, 'url'>): Promise<string | undefined> {
  const [first] = found
  const { cause, subject, numbers = {}, times = {}, atMost = {}, spent = {}, at: [label, file, ...texts] } = or !== undefined && first?.cause === or.cause ? or : usual
  assert.equal(first?.cause, cause, JSON.stringify(found.map(({ cause, title, share }) => [cause, title, share])))
  if (subject !== undefined) assert.match(first.subject, subject)
  for (const [name, number] of Object.entries(numbers)) {
    const told = first.numbers[name] ?? NaN
    assert.ok(Math.abs(told - number) <= 0.1 * number, `${name} is ${told}, not ${number}`)
  }
  const [place] = first.places
  assert.match(place?.label ?? '', label)
  if (texts.length === 0) assert.ok(place?.location.startsWith(`src/${file}`), place?.location)
  else assert.ok((await Promise.all(texts.map(text => placeOf(file, text)))).includes(place?.location ?? ''), place?.location)
  const milliseconds = (name: string) => (first.numbers[name] ?? NaN) / 1000
  for (const [name, own] of Object.entries(atMost)) assert.ok(milliseconds(name) <= counted[own]!, `${name} is ${milliseconds(name)} ms, more than ${counted[own]}`)
  const sum = (values: ReadonlyArray<number | undefined>) => values.reduce<number>((sum, value) => sum + (value ?? NaN), 0)
  const compared = Object.entries(times).map(([name, own]) => ({ name, told: milliseconds(name), own: counted[own]! }))
  if (Object.keys(spent).length > 0) {
    const totals = Object.keys(spent).map(name => nodes.find(node => node.name === name)?.total)
    compared.push({ name: Object.keys(spent).join(' and '), told: (sum(totals) + outside['recording']!) / 1000, own: sum(Object.values(spent).map(own => counted[own])) })
  }
  const wrong = compared.find(({ told, own }) => !(Math.abs(told - own) <= 0.1 * own))
  return wrong === undefined ? undefined : `${wrong.name} is ${wrong.told} ms, not ${wrong.own}`
}

describe('the report names the cause first', () => {
  for (const { url, ...expected } of ROUTES) {
    test(url.slice(0, 40), async () => {
      let wrong: string | undefined
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const profiled = await profileRoute(url)
        assertTotal(profiled)
        wrong = await checkFirst(profiled, expected)
        if (wrong === undefined) return
      }
      assert.fail(wrong)
    })
  }

  test('/fast has none', async () => {
    const profiled = await profileRoute('/fast')
    assert.deepEqual(profiled.findings.map(({ cause, title }) => `${cause}: ${title}`), [])
    assertTotal(profiled)
  })
})
