import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Report } from '@geordi/dogslow'
import { burn, gate, start, until } from './support.ts'

const functions = ({ stack }: Report) => stack.map(frame => frame.function)
const BLOCK = 700

test('a loop: the report names the request that blocks, where it stands, and who only waits behind it', async t => {
  const behind = new Set<string>()
  function innermost (): void { burn(BLOCK) }
  async function computeAll (): Promise<void> {
    // Both others are there, and stay.
    while (behind.size < 2) await sleep(1)
    innermost()
  }
  const running = await start(t, {}, app => {
    app.get('/loop/:id', async function handleLoop () { await computeAll() })
    app.get('/behind', async request => {
      behind.add(request.id)
      await sleep(BLOCK)
    })
  })
  const all = [running.ask('/behind'), running.ask('/loop/1?api_key=secret'), running.ask('/behind')]
  const report = await until(() => running.reports().find(({ kind }) => kind === 'blocked'))
  assert.deepEqual(report.requests.map(({ url, route }) => [url, route]), [['/loop/1?api_key=***', '/loop/:id']])
  assert.deepEqual(report.behind.map(({ url }) => url), ['/behind', '/behind'])
  assert.deepEqual(report.stack.filter(({ of, function: name }) => of === 'app' && name !== 'burn').map(frame => frame.function), ['innermost', 'computeAll', 'handleLoop'])
  assert.match(report.summary, /^GET \/loop\/1\?api_key=\*\*\* blocks the main thread, running for \d+ ms in (burn|innermost) .*\); 2 requests wait behind it$/)
  assert.deepEqual(await Promise.all(all), [200, 200, 200])
})

test('source maps are applied, and lines of source shown', async t => {
  const running = await start(t, {}, app => app.get('/', async () => { burn(BLOCK) }))
  await running.ask('/')
  const { stack } = await until(() => running.reports()[0])
  const top = stack.find(frame => frame.function === 'burn')!
  assert.match(top.file!, /test\/support\.ts$/)
  assert.match(top.source!, /^for \(const end = performance\.now\(\) \+ milliseconds;/)
  assert.deepEqual([top.of, stack.every(({ file }) => file === undefined || !file.includes('dogslow/dist/src'))], ['app', true])
})

test('a regular expression, a sort, and a synchronous handler are told too', async t => {
  const text = `${'a'.repeat(27)}!`
  const running = await start(t, {}, app => {
    app.get('/regex', async function evil () { return /^(a+)+$/.test(text) })
    app.get('/sort', (_request, reply) => {
      const end = performance.now() + BLOCK
      const compare = function compare (): number { return performance.now() < end ? 1 : 0 }
      while (performance.now() < end) Array.from({ length: 1000 }, (_value, at) => at).sort(compare)
      reply.send('sorted')
    })
  })
  for (const [at, [path, name]] of [['/regex', 'evil'], ['/sort', 'compare']].entries()) {
    await running.ask(path!)
    const report = await until(() => running.reports()[at])
    assert.deepEqual([report.kind, report.requests[0]!.url], ['blocked', path])
    // The sort's comparator may just have returned.
    assert.ok(functions(report).includes(name!) || path === '/sort', functions(report).join())
  }
})

test('who only waited behind another\'s code is reported for itself when it goes on being slow, and is not profiled before', async t => {
  const queued: string[] = []
  const held = gate(t)
  const entered: string[] = []
  const profile = async ({ url }: FastifyRequest) => {
    queued.push(url)
    return { id: url, url }
  }
  const running = await start(t, { profile }, app => {
    app.get('/waits', async request => {
      entered.push(request.url)
      await held.wait()
    })
    app.get('/blocks', async function handleBlocks () {
      while (entered.length === 0) await sleep(1)
      burn(BLOCK)
    })
  })
  const all = [running.ask('/blocks'), running.ask('/waits')]
  const blocked = await until(() => running.reports().find(({ kind, requests }) => kind === 'blocked' && requests[0]?.url === '/blocks'))
  assert.ok(blocked.behind.some(({ url }) => url === '/waits'))
  const waiting = await until(() => running.reports().find(({ kind }) => kind === 'waiting'))
  assert.equal(waiting.requests[0]!.url, '/waits')
  await until(() => queued.length === 2)
  assert.deepEqual(queued, ['/blocks', '/waits'])
  assert.equal(running.reports().filter(({ kind }) => kind === 'blocked').length, 1)
  held.open()
  await Promise.all(all)
})

test('what belongs to no request is said to, with its stack', async t => {
  const running = await start(t, {}, app => app.get('/', async () => { await sleep(300) }))
  const answered = running.ask('/')
  setImmediate(function backgroundJob () { setTimeout(function nightly () { burn(BLOCK) }, 60) })
  const report = await until(() => running.reports().find(({ kind }) => kind === 'blocked'))
  assert.deepEqual([report.requests, report.behind.map(({ url }) => url)], [[], ['/']])
  assert.ok(functions(report).some(name => name.endsWith('nightly')))
  assert.match(report.note!, /belongs to no request/)
  await answered
})

test('a request is reported once, by the watcher or by the monitor', async t => {
  const running = await start(t, { repeatAfter: 0, perMinute: 1000 }, app => app.get('/', async () => {
    await sleep(70)
    burn(200)
    await sleep(70)
  }))
  for (let turn = 0; turn < 5; turn++) await running.ask('/')
  await until(() => running.ends().length === 5)
  assert.equal(running.reports().length, 5)
})

test('at each of several thresholds, of which some pass while the thread is blocked', async t => {
  const running = await start(t, { repeatAfter: 0 }, app => app.get('/', { config: { dogslow: [100, 400, 1500] } }, async () => {
    burn(700)
    await sleep(1300)
  }))
  await running.ask('/')
  await until(() => running.ends().length === 3)
  assert.deepEqual(running.reports().map(({ kind }) => kind), ['blocked', 'blocked', 'waiting'])
})
