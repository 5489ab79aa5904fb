import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { findRedisServer, startLocalServer } from '@geordi/replay/local'
import { Redis } from 'ioredis'
import { connectDatabase, prepareDatabase } from '../src/database.ts'
import { formatDistances } from '../src/slow/cache.ts'
import { sections } from '../src/slow/dashboard.ts'
import { findLatestCommit } from '../src/slow/fast.ts'
import { annotateForSeconds } from '../src/slow/forever.ts'
import { typeFiles } from '../src/slow/gc.ts'
import { exportCommits } from '../src/slow/gzip.ts'
import { keepInFiles } from '../src/slow/io.ts'
import { updateLockedRepository } from '../src/slow/lock.ts'
import { loadDashboardInTurns } from '../src/slow/mutex.ts'
import { loadDashboardAtOnce } from '../src/slow/pool.ts'
import { searchCrew } from '../src/slow/regex.ts'
import { loadDashboardOneByOne } from '../src/slow/serial.ts'
import { sendLines } from '../src/slow/socket.ts'
import { findSimilarAuthors } from '../src/slow/statement.ts'
import { listLatestCommits, loadFiles } from '../src/store.ts'
import { countAuthorsOneByOne } from '../src/work/authors.ts'
import { annotateUntil } from '../src/work/burn.ts'
import { until } from './processes.ts'
import { profiled } from './profiled.ts'
import { startTestServer } from './running-app.ts'
import type { LocalServer } from '@geordi/replay/local'
import type { Database } from '../src/database.ts'

let server: LocalServer
let url: string
let database: Database
/** Looks on; what is under test has connections of its own. */
let witness: Database

before(async () => {
  const started = await startTestServer()
  server = started.server
  url = started.settings.databaseUrl
  database = connectDatabase(url, () => {})
  witness = connectDatabase(url, () => {})
  await prepareDatabase(database)
})

after(async () => {
  await witness?.end()
  await database?.end()
  await server?.stop()
})

/** The database, with what it was asked and how many questions were open at a time. */
function watched (): { database: Database, statements: string[], most: () => number } {
  const statements: string[] = []
  let [open, most] = [0, 0]
  const query = async (statement: string, values: unknown[]) => {
    statements.push(statement)
    most = Math.max(most, ++open)
    return database.query(statement, values).finally(() => { open-- })
  }
  return { database: { query } as unknown as Database, statements, most: () => most }
}

test('cpu: the CPU time asked for is used, in functions with names of their own', async () => {
  const files = await loadFiles(database, 60)
  const before = process.cpuUsage()
  const { result, samples } = await profiled(async () => annotateUntil(files, 300))
  const used = process.cpuUsage(before)
  assert.ok(result.cpuMs >= 300 && result.files > 0)
  assert.ok((used.user + used.system) / 1000 >= 300)
  for (const name of ['annotateUntil', 'renderBlame', 'diffRevisions', 'longestCommonSubsequence', 'highlightSource', 'tokenize']) {
    assert.ok(samples.has(name), `${name} is in the profile`)
  }
})

test('queries: one for each row, and one for the list', async () => {
  const { database: counting, statements, most } = watched()
  const { queries, authors } = await countAuthorsOneByOne(counting, 25)
  assert.equal(queries, 25)
  assert.equal(statements.length, 26)
  assert.equal(new Set(statements).size, 2)
  assert.equal(most(), 1)
  assert.equal(authors.reduce((sum, { commits }) => sum + commits, 0), 25)
})

test('queries: commits come round again', async () => {
  const { rows } = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM demo.commits')
  const n = (rows[0]?.n ?? 0) + 3
  const { queries, authors } = await countAuthorsOneByOne(database, n)
  assert.equal(queries, n)
  assert.equal(authors.reduce((sum, { commits }) => sum + commits, 0), n)
})

test('statement: PostgreSQL is seen at work on it, and compares each pair of commits', async () => {
  const authors = (await listLatestCommits(database, 300)).map(({ author }) => author)
  let pairs = 0
  for (const [index, author] of authors.entries()) for (const other of authors.slice(index)) if (other !== author) pairs++
  assert.equal((await findSimilarAuthors(database, 300)).pairs, pairs)

  const { database: counting, statements } = watched()
  let done = false
  const working = findSimilarAuthors(counting, 800).finally(() => { done = true })
  await until(async () => {
    const { rowCount } = await witness.query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%INTERSECT%' AND pid <> pg_backend_pid()")
    if (done) throw new Error('It was never seen')
    return rowCount === 1
  }, () => 'not seen')
  const { waited } = await working
  assert.equal(statements.length, 1)
  assert.ok(waited > 0)
})

test('cache: a real Redis is asked for one key each time', { skip: findRedisServer() === null && 'needs redis-server or valkey-server on the PATH' }, async () => {
  const redis = await startLocalServer({ kind: 'redis' })
  const client = new Redis(redis.url)
  try {
    const counted = await formatDistances(client, 123)
    assert.deepEqual([counted.gets, counted.hits], [123, 123])
    assert.match(await client.info('commandstats'), /^cmdstat_get:calls=123,/m)
    assert.equal(await client.dbsize(), 1)
  } finally {
    client.disconnect()
    await redis.stop()
  }
})

test('lock: PostgreSQL sees the update wait for the other one’s transaction', async () => {
  let done = false
  const working = updateLockedRepository(database, url, 800).finally(() => { done = true })
  await until(async () => {
    const { rows } = await witness.query<{ holder: string, doing: string }>(`
      SELECT holder.application_name AS holder, holder.query AS doing
      FROM pg_stat_activity waiting, unnest(pg_blocking_pids(waiting.pid)) AS blocking JOIN pg_stat_activity holder ON holder.pid = blocking
      WHERE waiting.wait_event_type = 'Lock' AND waiting.query LIKE 'UPDATE demo.repositories%'`)
    if (done) throw new Error('It was never seen')
    if (rows.length === 0) return false
    assert.equal(rows[0]?.holder, 'geordi-demo-nightly-job')
    return /INTERSECT/.test(rows[0]?.doing ?? '')
  }, () => 'not seen')
  const { updated, pairs, waited, held } = await working
  assert.equal(updated, 1)
  assert.ok(pairs > 1_000 && waited > 0 && held > 0)
  const holders = () => witness.query("SELECT FROM pg_stat_activity WHERE application_name = 'geordi-demo-nightly-job'")
  await until(async () => (await holders()).rowCount === 0, () => 'its connection is left')
})

test('lock: a holder that breaks is an error, not a wait without end', async () => {
  await assert.rejects(updateLockedRepository(database, url.replace('/demo', '/nowhere'), 2), /nowhere/)
})

test('pool: two sections have a connection, the others wait for one', async () => {
  const pool = connectDatabase(url, () => {}, 2)
  try {
    const working = loadDashboardAtOnce(pool)
    assert.deepEqual([pool.totalCount, pool.waitingCount], [2, 6])
    const { sections: loaded, connections, waited, longestWait } = await working
    assert.deepEqual([loaded, connections], [8, 2])
    assert.ok(waited >= longestWait && longestWait > 0)
    assert.deepEqual([pool.totalCount, pool.idleCount], [2, 2])
  } finally {
    await pool.end()
  }
})

test('mutex: all sections want their turn at once, one has it at a time', async () => {
  const { database: counting, statements, most } = watched()
  const both = await Promise.all([loadDashboardInTurns(counting), loadDashboardInTurns(counting)])
  assert.equal(most(), 1)
  assert.equal(statements.length, 16)
  assert.equal(new Set(statements).size, 8)
  for (const { waited, longestWait } of both) assert.ok(waited >= longestWait && longestWait > 0)
})

test('serial: eight different statements, never two at a time, which they could be', async () => {
  const { database: counting, statements, most } = watched()
  const { awaits, waited, longestWait } = await loadDashboardOneByOne(counting)
  assert.equal(awaits, 8)
  assert.equal(new Set(statements).size, 8)
  assert.equal(most(), 1)
  assert.ok(waited > longestWait)

  const free = watched()
  await Promise.all(sections.map(section => section(free.database)))
  assert.equal(free.most(), 8)
})

test('regex: V8 is seen in the pattern, which says no in the end', async () => {
  const { result, samples } = await profiled(async () => {
    // V8 compiles it for its second use; in a replay process for the first.
    searchCrew('!')
    return searchCrew(`${'a'.repeat(24)}!`)
  })
  assert.equal(result.plain, false)
  assert.equal(result.length, 25)
  const inPattern = samples.get(`RegExp: ${result.pattern}`) ?? 0
  assert.ok(inPattern > 0)
  assert.ok(inPattern >= Math.max(...[...samples].filter(([name]) => !name.startsWith('(')).map(([, hits]) => hits)))
  assert.deepEqual(searchCrew('scott').found, ['Montgomery Scott'])
})

test('io: as many operations as it says, and nothing left', async t => {
  const calls = [
    t.mock.method(fs, 'existsSync'), t.mock.method(fs, 'writeFileSync'), t.mock.method(promises, 'stat'), t.mock.method(promises, 'readFile')
  ].map(({ mock }) => mock)
  const made = t.mock.method(promises, 'mkdtemp').mock
  // Named imports are bound to what the module exported first.
  syncBuiltinESMExports()
  try {
    const counted = await keepInFiles(['red alert', 'all clear, Number One'], 31)
    assert.deepEqual(calls.map(mock => mock.callCount()), [31, 31, 31, 31])
    assert.deepEqual([counted.synchronous, counted.asynchronous], [62, 62])
    assert.equal(counted.bytes, 16 * 9 + 15 * 21)
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  const folder = await made.calls[0]?.result as string
  assert.ok(!fs.existsSync(folder))
})

test('gzip: zlib has flushed after each row', async () => {
  const commits = await listLatestCommits(database, 50)
  const { counted, content } = await exportCommits(commits, 120)
  // What a flush leaves in the stream: an empty stored block (RFC 1951, 3.2.4).
  assert.equal(content.toString('latin1').split('\x00\x00\xff\xff').length - 1, 120)
  assert.equal(counted.flushes, 120)
  const csv = gunzipSync(content)
  assert.equal(csv.length, counted.bytes)
  assert.equal(content.length, counted.compressedBytes)
  assert.equal(csv.toString().split('\r\n').length, 121)
})

test('socket: each line is a write of its own, and the collector has all of them', async t => {
  const writes = t.mock.method(net.Socket.prototype, 'write').mock
  const { lines, bytes, received } = await sendLines(['red alert', 'all clear, Number One'], 31)
  assert.equal(writes.calls.filter(({ arguments: [text] }) => /^(?:red alert|all clear, Number One)\n$/.test(String(text))).length, 31)
  assert.deepEqual([lines, bytes, received], [31, 16 * 10 + 15 * 22, bytes])
})

test('startup: the first one in a process loads the compiler', () => {
  const program = `
    import { createRequire } from 'node:module'
    const { cache } = createRequire(import.meta.url)
    const has = () => Object.keys(cache).some(path => path.endsWith('typescript.js'))
    const { outlineFile } = await import(process.argv[1])
    const file = { path: 'a.ts', content: 'export function engage (): void {}\\nconst no = 1\\nfunction stop () {}' }
    console.log(JSON.stringify([has(), await outlineFile(file), has(), await outlineFile(file)]))`
  const args = ['--input-type=module', '-e', program, new URL('../src/slow/startup.js', import.meta.url).href]
  const [before, first, after, second] = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  assert.deepEqual([before, first.loaded, after, second.loaded], [false, 1, true, 0])
  assert.deepEqual(first.functions, ['engage', 'stop'])
})

test('gc: the collector has more of the time than the code', async () => {
  const files = await loadFiles(database, 120)
  const { result, samples } = await profiled(() => typeFiles(files, 3))
  assert.equal(result.keystrokes, 3 * files.reduce((sum, { content }) => sum + content.length, 0))
  assert.ok(result.collections > 0 && result.collecting > 0)
  const others = [...samples].filter(([name]) => !name.startsWith('(')).reduce((sum, [, hits]) => sum + hits, 0)
  assert.ok((samples.get('(garbage collector)') ?? 0) > others, JSON.stringify([...samples]))
})

test('forever: works in slices until the time is over, or nobody waits for it', async () => {
  const files = await loadFiles(database, 10)
  let turns = 0
  const counter = setInterval(() => turns++, 1)
  const whole = await annotateForSeconds(files, 1, new AbortController().signal)
  clearInterval(counter)
  assert.ok(whole.seconds >= 1 && whole.files > 0)
  assert.ok(turns >= whole.slices - 2, `${turns} turns in ${whole.slices} slices`)

  const client = new AbortController()
  setImmediate(() => client.abort())
  const { seconds } = await annotateForSeconds(files, 3600, client.signal)
  assert.ok(seconds < 3600)
})

test('fast: one question', async () => {
  const { database: counting, statements } = watched()
  const { queries, message } = await findLatestCommit(counting)
  assert.equal(queries, 1)
  assert.equal(statements.length, 1)
  assert.ok(message)
})
