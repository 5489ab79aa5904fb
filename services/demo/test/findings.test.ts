import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connectDatabase, prepareDatabase } from '../src/database.ts'
import { startCacheServer, type CacheServer } from '../src/cache/server.ts'
import { startTestServer, type TestServer } from './running-app.ts'

/** What is used of the findings in `geordi profile … -o x.json`. */
interface Finding {
  readonly cause: string
  readonly title: string
  readonly subject: string
  readonly numbers: Readonly<Record<string, number>>
  readonly places: ReadonlyArray<{ readonly label: string, readonly location: string }>
  readonly share: number
}

const CLI = fileURLToPath(import.meta.resolve('@geordi/worker').replace(/index\.js$/, 'cli.js'))
const SERVER = fileURLToPath(new URL('../src/server.js', import.meta.url))
const SOURCES = new URL('../../src/', import.meta.url)

let started: TestServer
let cache: CacheServer
let folder: string

before(async () => {
  started = await startTestServer()
  cache = await startCacheServer()
  folder = await mkdtemp(join(tmpdir(), 'geordi-demo-findings-'))
  const database = connectDatabase(started.settings.databaseUrl, () => {})
  try {
    await prepareDatabase(database)
  } finally {
    await database.end()
  }
})

after(async () => {
  try {
    await cache?.stop()
  } finally {
    await started?.server.stop()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
})

async function findingsOf (url: string): Promise<Finding[]> {
  const file = join(folder, 'graph.json')
  const { databaseUrl, queueUrl, geordiSecret, sessionSecret } = started.settings
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    GEORDI_QUEUE_URL: queueUrl,
    CACHE_URL: cache.url,
    GEORDI_SECRET: geordiSecret,
    SESSION_SECRET: sessionSecret,
    LOG_LEVEL: 'silent'
  }
  await promisify(execFile)(process.execPath, [CLI, 'profile', SERVER, url, '-o', file], { env, timeout: 120_000 })
  return (JSON.parse(await readFile(file, 'utf8')) as { findings: Finding[] }).findings
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
  /** A cause that the route has besides and that may cost more, by what else the machine does. */
  readonly or?: string
  /** What the finding is about. */
  readonly subject?: RegExp
  /** What the route counts itself, for these parameters. */
  readonly numbers?: Readonly<Record<string, number>>
  /** The function, its file, and a text of the line; a folder and no text where several functions share the work. */
  readonly at: readonly [label: RegExp, file: string, text: string]
}

const ROUTES: readonly Expected[] = [
  { url: '/slow/cpu?ms=500', cause: 'blocked-loop', at: [/^\w+$/, 'work/', ''] },
  { url: '/slow/queries?n=400', cause: 'n-plus-one', subject: /^SELECT author FROM demo.commits WHERE id = \$1$/, numbers: { count: 400 }, at: [/^loadAuthor$/, 'work/authors.ts', 'await database.query'] },
  { url: '/slow/statement?commits=800', cause: 'slow-operation', subject: /^WITH latest AS/, numbers: { count: 1 }, at: [/^compareMessages$/, 'slow/similarity.ts', 'database.query'] },
  { url: '/slow/cache?n=500', cause: 'identical', subject: /^get 127/, numbers: { count: 500 }, at: [/^loadUnits$/, 'slow/cache.ts', 'await cache.get'] },
  { url: '/slow/lock?commits=800', cause: 'database-lock', subject: /^UPDATE demo.repositories/, numbers: { count: 1 }, at: [/^touchRepository$/, 'slow/lock.ts', 'await database.query'] },
  { url: '/slow/pool', cause: 'pool', numbers: { count: 6 }, at: [/^loadSection$/, 'slow/pool.ts', 'await pool.connect'] },
  { url: '/slow/mutex', cause: 'mutex', numbers: { count: 8 }, at: [/^loadInTurn$/, 'slow/mutex.ts', 'await turn.acquire'] },
  { url: '/slow/serial', cause: 'sequential', numbers: { count: 8 }, at: [/^loadDashboardOneByOne$/, 'slow/serial.ts', 'await dashboard.listWords'] },
  { url: `/slow/regex?q=${'a'.repeat(25)}!`, cause: 'regex', subject: /^\/\^\(\\w\+\\s\?\)\+\$\/$/, numbers: { inputLength: 26 }, at: [/^isPlainText$/, 'slow/regex.ts', 'function isPlainText'] },
  { url: '/slow/io?files=1000', cause: 'tiny-operations', or: 'sync-io', numbers: { count: 2000 }, at: [/^readFiles$/, 'slow/io.ts', 'await readFile('] },
  { url: '/slow/gzip?rows=5000', cause: 'tiny-operations', subject: /zlib/, numbers: { most: 5000 }, at: [/^writeRow$/, 'slow/gzip.ts', 'gzip.write(line)'] },
  { url: '/slow/startup', cause: 'module-loading', subject: /^typescript$/, at: [/^outlineFile$/, 'slow/startup.ts', 'function outlineFile'] },
  { url: '/slow/gc?rounds=5', cause: 'garbage', at: [/^typeFile$/, 'slow/gc.ts', 'function typeFile ('] }
]

describe('the report names the cause first', () => {
  for (const { url, cause, or, subject, numbers = {}, at: [label, file, text] } of ROUTES) {
    test(url.slice(0, 40), async () => {
      const found = await findingsOf(url)
      const first = found[0]?.cause === or ? found[1] : found[0]
      assert.equal(first?.cause, cause, JSON.stringify(found.map(({ cause, title, share }) => [cause, title, share])))
      if (subject !== undefined) assert.match(first.subject, subject)
      for (const [name, number] of Object.entries(numbers)) {
        const told = first.numbers[name] ?? NaN
        assert.ok(Math.abs(told - number) <= 0.1 * number, `${name} is ${told}, not ${number}`)
      }
      const [place] = first.places
      assert.match(place?.label ?? '', label)
      if (text === '') assert.ok(place?.location.startsWith(`src/${file}`), place?.location)
      else assert.equal(place?.location, await placeOf(file, text))
    })
  }

  test('/fast has none', async () => {
    assert.deepEqual((await findingsOf('/fast')).map(({ cause, title }) => `${cause}: ${title}`), [])
  })
})
