import assert from 'node:assert/strict'
import http from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Report } from '@geordi/dogslow'
import { Limiter } from '../src/watcher/limiter.ts'
import { atEnd, gate, start, until } from './support.ts'

/** A report as far as the limiter looks. */
function report (fingerprint: string, duration: number, id = `${fingerprint}${duration}`): Report {
  return { id, kind: 'waiting', fingerprint, requests: [{ method: 'GET', route: `/${fingerprint}`, url: '/', duration }], stack: [] } as unknown as Report
}

test('the same passes once, then it is counted; when the minute is over a digest tells', () => {
  const limiter = new Limiter({ perMinute: 2, repeatAfter: 90_000 })
  assert.deepEqual([limiter.admit(report('a', 1), 0), limiter.admit(report('a', 7), 1), limiter.admit(report('b', 1), 2), limiter.admit(report('c', 5), 3), limiter.admit(report('a', 2), 4)],
    [true, false, true, false, false])
  assert.ok(limiter.hasPassed('a1') && !limiter.hasPassed('a7'))
  assert.equal(limiter.digest(59_999), undefined)
  const digest = limiter.digest(60_000)!
  assert.deepEqual(digest.entries.map(({ what, count, longest }) => [what, count, longest]), [['GET /a', 2, 7], ['GET /c', 1, 5]])
  assert.equal(digest.summary, '3 more slow requests in 1 min 0 s: 2 × GET /a, 1 × GET /c')
  // A new minute has room for others, and `a` may not be repeated yet.
  assert.deepEqual([limiter.admit(report('a', 3), 61_000), limiter.admit(report('c', 5), 61_000), limiter.admit(report('a', 4), 90_000)], [false, true, true])
  // What is told again with more in it is no other report.
  assert.ok(limiter.admit(report('c', 5), 61_001))
  assert.deepEqual(limiter.digest(200_000)!.entries.map(({ count }) => count), [1])
  assert.equal(limiter.digest(300_000), undefined)
})

test('when thousands are slow at once, ten are looked at and the rest is counted; all are answered', async t => {
  const OPEN = 10_000
  const THRESHOLD = 4000
  let entered = 0
  let lastStart = 0
  const held = gate(t)
  const running = await start(t, { threshold: THRESHOLD, perMinute: 100 }, app => {
    app.get('/held', async () => {
      entered++
      lastStart = performance.now()
      await held.wait()
    })
    // In one of these ticks it is among the ten.
    app.get('/last', { config: { dogslow: Array.from({ length: 100 }, (_value, at) => 100 + 200 * at) } }, async () => { await held.wait() })
  })
  let answered = 0
  const all = Array.from({ length: OPEN }, () => running.app.inject('/held').then(() => { answered++ }))
  await until(() => entered === OPEN)
  const last = running.app.inject('/last')
  const report = await until(() => running.reports().find(({ kind, requests: [request] }) => kind === 'waiting' && request!.url === '/last'))
  assert.equal(report.process.open, OPEN + 1)
  // Some ticks after the last one was due.
  await until(() => performance.now() > lastStart + THRESHOLD + 1000)
  held.open()
  await Promise.all([last, ...all])
  assert.equal(answered, OPEN)
  await running.app.close()
  const counted = running.digests()[0]!.entries.reduce((sum, entry) => sum + entry.count, 0)
  assert.ok(counted > OPEN / 2, `${counted} were counted`)
  assert.equal(running.reports().filter(({ kind, requests: [request] }) => kind === 'waiting' && request!.url === '/held').length, 1)
})

test('nothing is left after a reply, an abort or a hijack; a hijacked request is not reported', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const running = await start(t, {}, app => {
    app.get('/fast', async () => 'fast')
    app.get('/never', async () => { await new Promise(() => {}) })
    app.get('/hijacked', (_request, reply) => {
      reply.hijack()
      reply.raw.write('begun')
      setTimeout(() => reply.raw.end(), 500).unref()
    })
  })
  await running.ask('/fast')
  const abort = new AbortController()
  const aborted = running.ask('/never', { signal: abort.signal })
  await running.ask('/hijacked')
  await until(() => running.reports().length > 0)
  abort.abort()
  await aborted
  const end = await until(() => running.ends()[0])
  assert.equal(end.outcome, 'cut off')
  assert.deepEqual(running.reports().map(({ requests: [request] }) => request!.url), ['/never'])
  await running.app.close()
  await until(() => timers() === 0)
})

test('pipelined requests: each end is told, and none is left when the connection is closed', async t => {
  const held = gate(t)
  const running = await start(t, { threshold: 1000, repeatAfter: 0, perMinute: 1000 }, app => {
    app.get('/fast', async () => 'fast')
    app.get('/held', async () => { await held.wait() })
    // Answered, but behind one that is not.
    app.get('/behind', { config: { dogslow: 100 } }, async () => 'done')
    app.get('/last', { config: { dogslow: 100 } }, async () => { await new Promise(() => {}) })
  })
  const socket = connect(Number(new URL(running.origin).port), '127.0.0.1').on('error', () => {})
  atEnd(t, () => socket.destroy())
  socket.write(['/fast', '/held', '/behind', '/last'].map(path => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''))
  const told = await until(() => running.reports().length >= 3 && running.reports())
  assert.equal(told.find(({ requests: [request] }) => request!.url === '/behind')!.note, 'The answer waits for those of earlier requests on the same connection.')
  assert.ok(told.every(({ process: { open } }) => open === 3))
  socket.destroy()
  await until(() => running.ends().length >= 3)
  assert.deepEqual(running.ends().map(({ url, outcome }) => [url, outcome]).sort(), [['/behind', 'cut off'], ['/held', 'cut off'], ['/last', 'cut off']])
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('of what was answered nothing is kept: by a connection that stays, by one that is closed, injected', async t => {
  const answered: Array<WeakRef<object>> = []
  const running = await start(t, { threshold: 1000 }, app => app.get('/', async (request, reply) => {
    answered.push(new WeakRef(request.raw), new WeakRef(reply.raw))
    return 'done'
  }))
  const kept = new http.Agent({ keepAlive: true })
  atEnd(t, () => kept.destroy())
  for (const agent of [kept, kept, undefined]) {
    await new Promise((resolve, reject) => {
      http.get(running.origin, { agent, headers: { connection: agent === undefined ? 'close' : 'keep-alive' } }, response => response.resume().on('end', resolve)).on('error', reject)
    })
  }
  for (let times = 0; times < 10; times++) await running.app.inject('/')
  assert.equal(answered.length, 26)
  // Node keeps the last response of a connection.
  await until(() => {
    collect()
    return answered.filter(reference => reference.deref() !== undefined).length <= 2
  })
})

test('of an app that is closed no request is kept, though something waits for longer', async t => {
  let answered: WeakRef<object> | undefined
  let timer: NodeJS.Timeout | undefined
  atEnd(t, () => clearTimeout(timer))
  // Nobody looks before it is closed.
  const running = await start(t, { threshold: 60_000 }, app => app.get('/', async request => {
    answered = new WeakRef(request)
    timer = setTimeout(() => {}, 600_000)
    return 'done'
  }))
  assert.equal(await running.ask('/'), 200)
  await running.app.close()
  await until(() => {
    collect()
    return answered!.deref() === undefined
  })
})
