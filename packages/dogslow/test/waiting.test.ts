import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import http from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Mutex } from 'async-mutex'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Wait } from '@geordi/dogslow'
import { startLocalServer } from '@geordi/replay/local'
import { atEnd, gate, listen, start, until, type Running } from './support.ts'

const names = ({ stack }: Wait) => stack.map(frame => frame.function)

/** The report on the one request that is asked for. */
async function pendingOf ({ ask, reports }: Running, path: string): Promise<readonly Wait[]> {
  const answered = ask(path)
  const report = await until(() => reports().find(({ requests: [request] }) => request?.url === path))
  assert.equal(report.kind, 'waiting')
  answered.catch(() => {})
  return report.requests[0]!.pending
}

test('SQL that a request waits for is told with its statement, its age and the stack across awaits', async t => {
  const server = await startLocalServer({ kind: 'postgres' })
  atEnd(t, () => server.stop())
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  pool.on('error', () => {})
  atEnd(t, () => pool.end())
  await pool.query('SELECT 1')
  const other = new pg.Pool({ connectionString: server.url, max: 1 })
  atEnd(t, () => other.end())
  const cancelUntil = async (isOver: () => boolean) => {
    while (!isOver()) await other.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'")
  }
  atEnd(t, () => cancelUntil(() => pool.waitingCount === 0 && pool.idleCount === pool.totalCount))
  async function loadRows (): Promise<void> {
    await pool.query('SELECT 1')
    await pool.query("SELECT pg_sleep(600), 'secret', $1::int", [42])
  }
  async function loadPage (): Promise<void> { await loadRows() }
  const running = await start(t, {}, app => {
    app.get('/rows', async () => { await loadPage() })
    app.get('/pool', async () => { await loadPage() })
    app.get('/callback', (_request, reply) => {
      pool.query('SELECT 1', () => { pool.query('SELECT pg_sleep(600)', () => reply.send('done')) })
    })
  })
  const pending = await pendingOf(running, '/rows')
  assert.deepEqual(pending.map(({ kind, driver, statement }) => [kind, driver, statement]), [['sql', 'pg', 'SELECT pg_sleep(?), ?, $1::int']])
  assert.match(pending[0]!.target, /^(localhost|127\.0\.0\.1):\d+\//)
  assert.ok(pending[0]!.duration > 20 && pending[0]!.duration <= running.reports()[0]!.requests[0]!.duration)
  assert.deepEqual(names(pending[0]!).filter(name => name.startsWith('load')), ['loadRows', 'loadPage'])
  const [{ requests: [request] }] = running.reports() as [ReturnType<Running['reports']>[number]]
  assert.deepEqual(request!.finished.filter(({ kind }) => kind === 'sql').map(({ statement }) => statement), ['SELECT ?'])

  // The pool's one connection is still taken.
  const [waiting] = await pendingOf(running, '/pool')
  assert.equal(waiting!.kind, 'pool')
  await cancelUntil(() => running.ends().length >= 2)
  // A query that fails takes its connection with it, and on a busy machine another one takes its time.
  await pool.query('SELECT 1')
  const inCallback = await pendingOf(running, '/callback')
  assert.equal(inCallback[0]!.statement, 'SELECT pg_sleep(?)')
})

test('HTTP, fetch, locks and timers that a request waits for are told', async t => {
  const held = gate(t)
  const slow = http.createServer((_request, response) => { held.wait().then(() => response.end('done')) })
  const port = await listen(t, slow)
  const mutex = new Mutex()
  const release = await mutex.acquire()
  const over = new AbortController()
  atEnd(t, () => over.abort())
  let answerClassic = () => {}
  atEnd(t, () => answerClassic())
  const running = await start(t, {}, app => {
    app.get('/fetch', async function viaFetch () { await (await fetch(`http://127.0.0.1:${port}/a?token=secret`)).text() })
    app.get('/http', async function viaHttp () {
      await new Promise((resolve, reject) => http.get(`http://127.0.0.1:${port}/b?token=secret`, resolve).on('error', reject))
    })
    app.get('/lock', async function viaLock () { (await mutex.acquire())() })
    app.get('/timer', async function viaTimer () { await sleep(600_000, undefined, { signal: over.signal }) })
    app.get('/classic', (_request, reply) => {
      const timer = setTimeout(() => {}, 600_000)
      answerClassic = () => {
        clearTimeout(timer)
        reply.send('done')
      }
    })
  })
  const told = async (path: string) => (await pendingOf(running, path)).map(({ kind, statement, driver }) => [kind, statement, driver])
  assert.deepEqual(await told('/fetch'), [['http', 'GET /a?token=', 'undici']])
  assert.deepEqual(await told('/http'), [['http', 'GET /b?token=', 'node:http']])
  assert.deepEqual(await told('/lock'), [['lock', 'acquire', 'async-mutex']])
  assert.deepEqual(await told('/timer'), [['timer', 'setTimeout 600000 ms', 'node:timers']])
  assert.deepEqual(await told('/classic'), [['timer', 'setTimeout 600000 ms', 'node:timers']])
  assert.match(running.reports()[0]!.summary, /^GET \/fetch has been running for [\d.]+ m?s, waiting [\d.]+ m?s for http GET \/a\?token= http:.* in viaFetch \(.*waiting\.test\.ts:\d+\)$/)
  release()
  held.open()
  over.abort()
  answerClassic()
  await until(() => running.ends().length >= 5)
})

test('a command to a cache that does not answer is told', async t => {
  // It lets connections in and says nothing.
  const port = await listen(t, createServer(socket => socket.on('error', () => {}).resume()))
  const redis = new Redis({ host: '127.0.0.1', port, enableReadyCheck: false, disableClientInfo: true, retryStrategy: () => null })
  redis.on('error', () => {})
  atEnd(t, () => redis.disconnect())
  const running = await start(t, {}, app => app.get('/cached', async () => await redis.get('secret')))
  assert.deepEqual((await pendingOf(running, '/cached')).map(({ kind, statement, target }) => [kind, statement, target]), [['cache', 'get', `127.0.0.1:${port}`]])
})

test('each request is told its own waits only, hooks included', async t => {
  const over = new AbortController()
  atEnd(t, () => over.abort())
  const long = async (more: number) => { await sleep(600_000 + more, undefined, { signal: over.signal }) }
  const running = await start(t, {}, app => {
    app.addHook('preHandler', async function authorise () { await sleep(20) })
    app.addHook('preHandler', async function slowHook (request) { if (request.url.startsWith('/hook')) await long(7) })
    app.get('/a', async function a () { await long(1) })
    app.get('/b', async function b () { await Promise.all([long(2), long(3)]) })
    app.get('/hook', async () => 'done')
  })
  const paths = ['/a', '/b', '/hook']
  const answered = paths.map(path => running.ask(path))
  const told = await Promise.all(paths.map(path => until(() => running.reports().find(({ requests: [request] }) => request!.url === path)?.requests[0])))
  over.abort()
  assert.deepEqual(await Promise.all(answered), [500, 500, 500])
  assert.deepEqual(told.map(({ pending }) => pending.map(({ statement }) => statement)),
    [['setTimeout 600001 ms'], ['setTimeout 600002 ms', 'setTimeout 600003 ms'], ['setTimeout 600007 ms']])
  assert.deepEqual(told.map(({ finished }) => finished.map(({ statement }) => statement)), paths.map(() => ['setTimeout 20 ms']))
  assert.deepEqual(told.map(({ phase }) => phase), ['handler', 'handler', 'hooks'])
})

test('a request that waits for nothing known says so, and what it is at', async t => {
  const held = gate(t)
  const running = await start(t, {}, app => {
    app.get('/unknown', async () => { await held.wait() })
    app.get('/sending', (_request, reply) => {
      reply.hijack()
      reply.raw.write('begun')
    })
    app.post('/body', async () => 'done')
  })
  running.ask(`/unknown?${'a'.repeat(5000)}`).catch(() => {})
  const unknown = await until(() => running.reports()[0])
  // A report repeats the address, so it is cut.
  assert.match(unknown.requests[0]!.url, /^\/unknown\?a+…$/)
  assert.equal(unknown.requests[0]!.url.length, 1001)
  assert.match(unknown.note!, /^It waits for nothing that dogslow knows of/)
  const request = http.request(`${running.origin}/body`, { method: 'POST', headers: { 'content-type': 'text/plain', 'content-length': 10 } }).on('error', () => {})
  request.write('half')
  const receiving = await until(() => running.reports()[1])
  assert.deepEqual([receiving.requests[0]!.phase, receiving.note], ['receiving', 'The request\'s body has not arrived whole.'])
  request.destroy()
  held.open()
  await until(() => running.ends().length >= 2)
  assert.deepEqual(running.ends().map(({ outcome, url }) => [url.split('?')[0], outcome]).sort(), [['/body', 'cut off'], ['/unknown', 'answered']])
})

test('a logger\'s writes cost no stack, while a request is open; blocking reads take one', async t => {
  let stacks = 0
  const running = await start(t, {}, app => app.get('/', async () => {
    const file = openSync('/dev/null', 'w')
    let { prepareStackTrace } = Error
    Object.defineProperty(Error, 'prepareStackTrace', { configurable: true, get: () => prepareStackTrace, set: value => { stacks++; prepareStackTrace = value } })
    try {
      writeSync(file, 'a line')
      const written = stacks
      readFileSync('/dev/null')
      return { written, read: stacks - written }
    } finally {
      Object.defineProperty(Error, 'prepareStackTrace', { configurable: true, writable: true, value: prepareStackTrace })
      closeSync(file)
    }
  }))
  const answer = await (await fetch(running.origin)).json() as { written: number, read: number }
  assert.equal(answer.written, 0, JSON.stringify(answer))
  assert.ok(answer.read > 0)
})

test('an app that lets nobody ask for stacks is answered as always', async t => {
  const running = await start(t, {}, app => app.get('/', async () => {
    const { stackTraceLimit } = Error
    Object.defineProperty(Error, 'stackTraceLimit', { configurable: true, writable: false, value: stackTraceLimit })
    try {
      await sleep(1)
      readFileSync('/dev/null')
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', { configurable: true, writable: true, value: stackTraceLimit })
    }
  }))
  assert.equal(await running.ask('/'), 200)
})
