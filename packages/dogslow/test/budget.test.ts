import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import pg from 'pg'
import { renderText, type Report, type UnassignedWait } from '@geordi/dogslow'
import { startLocalServer } from '@geordi/replay/local'
import { atEnd, start, until } from './support.ts'

/** So many commands that the room for what is not rare is used up by far. */
const STORM = 3000

test('a storm of quick commands, and one that hangs: within the budget its stack is told; past it what hangs is, and that it is not known whose it is', async t => {
  const server = await startLocalServer({ kind: 'redis' })
  atEnd(t, () => server.stop())
  const client = new Redis(server.url)
  atEnd(t, () => client.disconnect())
  // Answers nothing until somebody pushes.
  const blocked = new Redis(server.url)
  atEnd(t, () => blocked.disconnect())
  await Promise.all([client.ping(), blocked.ping()])

  async function loadPage (): Promise<void> { await blocked.blpop('queue', 0) }
  const reportAt = async (budget: number): Promise<Report> => {
    const batch = async () => await Promise.all(Array.from({ length: 100 }, () => client.get('key')))
    // On a busy machine it may be told to wait behind the storm's code before.
    const reported = () => running.reports().find(({ kind, requests: [request] }) => kind === 'waiting' && request?.url === '/hangs')
    const running = await start(t, { waits: { budget } }, app => {
      app.get('/storm', { config: { dogslow: false } }, async () => {
        for (let count = 0; count < STORM; count += 100) await batch()
        const answered = running.ask('/hangs')
        while (reported() === undefined) await batch()
        await client.lpush('queue', 'go on')
        return await answered
      })
      app.get('/hangs', async () => { await loadPage(); return 'done' })
    })
    const answered = running.ask('/storm')
    const report = await until(reported)
    assert.equal(await answered, 200)
    await running.app.close()
    return report
  }

  const rare = await reportAt(0.001)
  const [wait] = rare.requests[0]!.pending
  assert.equal(wait!.statement, 'blpop')
  assert.equal(wait!.stack.find(({ of }) => of === 'app')!.function, 'loadPage')

  const past = await reportAt(0)
  assert.deepEqual(past.requests[0]!.pending, [])
  // The oldest; what else is told is the storm's.
  const [{ kind, statement, target, driver }] = past.unassigned!.waits as [UnassignedWait]
  assert.deepEqual([kind, statement, target, driver], ['cache', 'blpop', `127.0.0.1:${new URL(server.url).port}`, 'ioredis'])
  assert.ok(past.unassigned!.waits.length <= 5)
  assert.match(past.summary, /^GET \/hangs has been running for .*, perhaps waiting .* for cache blpop 127\.0\.0\.1:\d+$/)
  assert.match(past.note!, /not known.*budget/)
  assert.match(renderText(past), /\nPending, of a request that isn't known, .* past its budget\n {2}cache blpop 127\.0\.0\.1:\d+ for \d/)
})

test('past the budget, PostgreSQL\'s connections and their pool are asked what they wait for', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  atEnd(t, () => server.stop())
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  const other = new pg.Pool({ connectionString: server.url, max: 1 })
  atEnd(t, () => Promise.all([pool.end(), other.end()]))
  for (const one of [pool, other]) one.on('error', () => {})
  await Promise.all([pool.query('SELECT 1'), other.query('SELECT 1')])
  const running = await start(t, { waits: { budget: 0 }, repeatAfter: 0 }, app => {
    app.get('/row', async () => (await pool.query("SELECT pg_sleep(600), 'secret'")).rows)
    app.get('/pool', async () => (await pool.query('SELECT 2')).rows)
  })
  const reported = (path: string) => running.reports().find(({ kind, requests: [request] }) => kind === 'waiting' && request?.url === path)
  const told = ({ unassigned }: Report) => unassigned!.waits.map(({ kind, statement, target, driver }) => [kind, statement, target, driver])
  const target = `${new URL(server.url).hostname}:${new URL(server.url).port}/${new URL(server.url).pathname.slice(1)}`

  const answers = [running.ask('/row')]
  const row = await until(() => reported('/row'))
  assert.deepEqual([row.requests[0]!.pending, told(row)], [[], [['sql', 'SELECT pg_sleep(?), ?', target, 'pg']]])
  assert.match(row.summary, /^GET \/row has been running for .*, perhaps waiting .* for sql SELECT pg_sleep/)
  answers.push(running.ask('/pool'))
  const waits = await until(() => reported('/pool'))
  assert.deepEqual(told(waits), [['pool', 'free connection', target, 'pg-pool']])

  await other.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'")
  assert.deepEqual(await Promise.all(answers), [500, 200])
})

test('past the budget, what code of the app\'s was seen to start comes before what may be no request\'s', async t => {
  const server = await startLocalServer({ kind: 'redis' })
  atEnd(t, () => server.stop())
  const connect = async () => {
    const client = new Redis(server.url)
    atEnd(t, () => client.disconnect())
    await client.ping()
    return client
  }
  const [client, consumer, admin] = [await connect(), await connect(), await connect()]
  // Room for a stack, and for none after it.
  const running = await start(t, { waits: { budget: 1e-15 } }, app => {
    app.get('/first', { config: { dogslow: false } }, async function loadFirst () { return await client.set('key', 1) })
    app.get('/hangs', async () => {
      consumer.blpop('queue', 0).catch(() => {})
      return await client.set('key', 2)
    })
  })
  await running.ask('/first')
  await admin.client('PAUSE', 600_000, 'WRITE')
  const answered = running.ask('/hangs')
  const report = await until(() => running.reports().find(({ kind }) => kind === 'waiting'))
  assert.deepEqual(report.unassigned!.waits.map(({ statement, lastSeen }) => [statement, lastSeen?.function]), [['set', 'loadFirst'], ['blpop', undefined]])
  await admin.client('UNPAUSE')
  assert.equal(await answered, 200)
})
