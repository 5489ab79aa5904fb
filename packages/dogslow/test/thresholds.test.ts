import assert from 'node:assert/strict'
import http2 from 'node:http2'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyRequest } from 'fastify'
import { dogslow, type DogslowOptions } from '@geordi/dogslow'
import { atEnd, burn, gate, start, until } from './support.ts'

const LONG = 600_000

test('a route has its own threshold, or none; patterns and functions are left alone', async t => {
  const held = gate(t)
  const hold = async () => { await held.wait() }
  const running = await start(t, { threshold: LONG, ignore: ['/events/*', request => request.headers['x-ignore'] === 'yes'] }, app => {
    app.get('/default', hold)
    app.get('/own', { config: { dogslow: 100 } }, hold)
    app.get('/never', { config: { dogslow: false } }, hold)
    app.get('/events/:id', { config: { dogslow: 100 } }, hold)
  })
  const asked = [running.ask('/default'), running.ask('/never'), running.ask('/events/1'), running.ask('/own', { headers: { 'x-ignore': 'yes' } }), running.ask('/own?a=1')]
  await until(() => running.reports().length > 0)
  await sleep(300)
  assert.deepEqual(running.reports().map(({ requests: [request] }) => request!.url), ['/own?a=1'])
  held.open()
  assert.deepEqual(await Promise.all(asked), [200, 200, 200, 200, 200])
  await until(() => running.ends().length > 0)
})

test('the end of a reported request is told: answered, and how long it took; or cut off', async t => {
  const held = gate(t)
  const running = await start(t, {}, app => app.get('/', async (_request, reply) => {
    await held.wait()
    return await reply.code(201).send('done')
  }))
  const answered = running.ask('/?who=1&secret=x')
  const abort = new AbortController()
  const cut = running.ask('/?who=2', { signal: abort.signal })
  await until(() => running.reports().length > 0)
  await sleep(200)
  abort.abort()
  await cut
  held.open()
  await answered
  const [report] = running.reports()
  const end = await until(() => running.ends()[0])
  assert.equal(end.report, report!.id)
  assert.match(end.summary, end.outcome === 'answered' ? /^GET \/\?who=1&secret=\*\*\* was answered with 201 after [\d.]+ m?s$/ : /^GET \/\?who=2 was cut off after [\d.]+ m?s$/)
  assert.ok(end.duration >= 100)
})

test('the end of an injected request is told alike', async t => {
  const held = gate(t)
  const running = await start(t, { repeatAfter: 0 }, app => app.get('/:what', async () => { await held.wait(); return 'done' }))
  const abort = new AbortController()
  const cut = assert.rejects(running.app.inject({ url: '/cut', signal: abort.signal }))
  await until(() => running.reports().length >= 1)
  abort.abort()
  await cut
  const answered = running.app.inject('/answered')
  await until(() => running.reports().length >= 2)
  held.open()
  assert.equal((await answered).body, 'done')
  await until(() => running.ends().length >= 2)
  assert.deepEqual(running.ends().map(({ url, outcome, status }) => [url, outcome, status]), [['/cut', 'cut off', undefined], ['/answered', 'answered', 200]])
})

test('the end of a request over HTTP/2 is told alike, several on one connection', async t => {
  const held = gate(t)
  const running = await start(t, { repeatAfter: 0 }, app => app.get('/:what', async () => { await held.wait(); return 'done' }), { http2: true } as object)
  const session = http2.connect(running.origin)
  atEnd(t, () => session.destroy())
  const ask = (path: string) => session.request({ ':path': path }).on('error', () => {}).resume()
  const asked = [ask('/answered'), ask('/cut')]
  await until(() => running.reports().length >= 2)
  asked[1]!.close(http2.constants.NGHTTP2_CANCEL)
  await until(() => running.ends().length >= 1)
  held.open()
  await until(() => running.ends().length >= 2)
  assert.deepEqual(running.ends().map(({ url, outcome, status }) => [url, outcome, status]), [['/cut', 'cut off', undefined], ['/answered', 'answered', 200]])
})

test('the function in `ignore` is asked of those, too, that came just before another request blocked the thread', async t => {
  const held = gate(t)
  const entered: string[] = []
  const running = await start(t, { threshold: 1000, repeatAfter: 0, ignore: ({ url }) => url === '/stream' }, app => {
    const hold = async ({ url }: FastifyRequest) => {
      entered.push(url)
      await held.wait()
    }
    app.get('/stream', hold)
    app.get('/held', hold)
    app.get('/block', async () => {
      // In the same turn as they come: no tick has met them.
      while (entered.length < 2) await new Promise(setImmediate)
      burn()
    })
  })
  const answers = ['/block', '/stream', '/held'].map(path => running.ask(path))
  await until(() => running.reports().find(({ kind, requests: [request] }) => kind === 'waiting' && request!.url === '/held'))
  await sleep(200)
  held.open()
  await Promise.all(answers)
  assert.ok(!running.reports().some(({ kind, requests }) => kind === 'waiting' && requests[0]!.url === '/stream'))
})

test('DOGSLOW_TIMER is the default', async t => {
  process.env.DOGSLOW_TIMER = '150'
  t.after(() => { delete process.env.DOGSLOW_TIMER })
  const running = await start(t, { threshold: undefined as unknown as number }, app => app.get('/', async () => { await sleep(400) }))
  await running.ask('/')
  const report = await until(() => running.reports()[0])
  assert.ok(report.requests[0]!.duration >= 150)
})

test('wrong options are refused by name', async () => {
  const wrong: Array<[options: object, name: RegExp]> = [
    [{ treshold: 1 }, /`treshold` is not an option/], [{ threshold: 0 }, /`threshold`/], [{ threshold: [] }, /`threshold`/], [{ threshold: '5' }, /`threshold`/],
    [{ ignore: 'health' }, /`ignore`/], [{ file: '' }, /`file`/], [{ file: { path: 'x', files: 0 } }, /`file\.files`/], [{ webhook: 'ftp://x' }, /`webhook`/],
    [{ mail: { transport: 'smtp://x', from: 'a@b' } }, /`mail\.to`/], [{ mail: { transport: { send () {} }, from: 'a@b', to: 'c@d' } }, /`mail\.transport` must be plain data/],
    [{ perMinute: 0 }, /`perMinute`/], [{ repeatAfter: -1 }, /`repeatAfter`/], [{ profile: 'yes' }, /`profile`/], [{ profile: 'auto' }, /needs @geordi\/fastify/],
    [{ report: 'log' }, /`report`/], [{ sentry: {} }, /`sentry`/], [{ log: 1 }, /`log`/], [{ link: 'a b' }, /`link`/], [{ hide: 'x' }, /`hide`/],
    [{ waits: 'no' }, /`waits`/], [{ waits: null }, /`waits`/], [{ waits: { budget: 1.1 } }, /`waits\.budget`/], [{ waits: { budget: -0.1 } }, /`waits\.budget`/],
    [{ waits: { budget: NaN } }, /`waits\.budget`/], [{ waits: { budget: '1' } }, /`waits\.budget`/], [{ waits: { budgets: 1 } }, /`waits` .*`budgets`/]
  ]
  for (const [options, message] of wrong) {
    const app = Fastify()
    try {
      await assert.rejects(async () => {
        await app.register(dogslow, options as DogslowOptions)
        await app.ready()
      }, { code: 'GEORDI_DOGSLOW_OPTION_INVALID', message })
    } finally {
      await app.close()
    }
  }
  const app = Fastify()
  try {
    await app.register(dogslow)
    assert.throws(() => app.get('/x', { config: { dogslow: -1 } }, () => {}), { code: 'GEORDI_DOGSLOW_OPTION_INVALID', message: /`config\.dogslow` of GET \/x/ })
  } finally {
    await app.close()
  }
})

test('registered twice is refused: each request would be reported twice', async () => {
  const app = Fastify()
  try {
    await app.register(dogslow, { log: false })
    await assert.rejects(async () => await app.register(dogslow, { log: false }), { code: 'GEORDI_DOGSLOW_TWICE' })
  } finally {
    await app.close()
  }
})
