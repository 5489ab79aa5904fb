import assert from 'node:assert/strict'
import { checkPrimeSync } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Report } from '@geordi/dogslow'
import { burn, gate, interrupted, start, until } from './support.ts'

const functions = ({ stack }: Report) => stack.map(frame => frame.function)

test('a loop: the report names the request that blocks, where it stands, and who only waits behind it', async t => {
  const behind = new Set<string>()
  const held = gate(t)
  function innermost (): void { burn() }
  async function computeAll (): Promise<void> {
    // Both others are there, and stay.
    while (behind.size < 2) await sleep(1)
    innermost()
  }
  const running = await start(t, {}, app => {
    app.get('/loop/:id', async function handleLoop () { await computeAll() })
    app.get('/behind', async request => {
      behind.add(request.id)
      await held.wait()
    })
  })
  const all = [running.ask('/behind'), running.ask('/loop/1?api_key=secret'), running.ask('/behind')]
  const report = await until(() => running.reports().find(({ kind, requests }) => kind === 'blocked' && requests[0]?.route === '/loop/:id'))
  held.open()
  assert.deepEqual(report.requests.map(({ url, route }) => [url, route]), [['/loop/1?api_key=***', '/loop/:id']])
  assert.deepEqual(report.behind.map(({ url }) => url), ['/behind', '/behind'])
  assert.deepEqual(report.stack.filter(({ of, function: name }) => of === 'app' && name !== 'burn').map(frame => frame.function), ['innermost', 'computeAll', 'handleLoop'])
  assert.match(report.summary, /^GET \/loop\/1\?api_key=\*\*\* blocks the main thread, running for [\d.]+ m?s in (burn|innermost) .*\); 2 requests wait behind it$/)
  assert.deepEqual(await Promise.all(all), [200, 200, 200])
})

test('source maps are applied, and lines of source shown', async t => {
  const running = await start(t, {}, app => app.get('/', async () => { burn() }))
  await running.ask('/')
  const { stack } = await until(() => running.reports()[0])
  const top = stack.find(frame => frame.function === 'burn')!
  assert.match(top.file!, /test\/support\.ts$/)
  assert.match(top.source!, /^for \(const enough = Atomics\.load/)
  assert.deepEqual([top.of, stack.every(({ file }) => file === undefined || !file.includes('dogslow/dist/src'))], ['app', true])
})

test('a regular expression, a sort, and a synchronous handler are told too', async t => {
  const text = `${'a'.repeat(24)}!`
  const running = await start(t, {}, app => {
    app.get('/regex', async function evil () { for (const isOver = interrupted(); !isOver();) /^(a+)+$/.test(text) })
    app.get('/sort', (_request, reply) => {
      const isOver = interrupted()
      const compare = function compare (): number { return isOver() ? 0 : 1 }
      while (!isOver()) Array.from({ length: 1000 }, (_value, at) => at).sort(compare)
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
      burn()
    })
  })
  const all = [running.ask('/blocks'), running.ask('/waits')]
  const blocked = await until(() => running.reports().find(({ kind, requests }) => kind === 'blocked' && requests[0]?.url === '/blocks'))
  assert.ok(blocked.behind.some(({ url }) => url === '/waits'))
  const waiting = await until(() => running.reports().find(({ kind }) => kind === 'waiting'))
  assert.equal(waiting.requests[0]!.url, '/waits')
  await until(() => queued.length >= 2)
  assert.deepEqual(queued, ['/blocks', '/waits'])
  assert.equal(running.reports().filter(({ kind }) => kind === 'blocked').length, 1)
  held.open()
  await Promise.all(all)
})

test('what belongs to no request is said to, with its stack', async t => {
  const held = gate(t)
  let isThere = false
  const running = await start(t, {}, app => app.get('/', async () => {
    isThere = true
    await held.wait()
  }))
  const answered = running.ask('/')
  await until(() => isThere)
  setTimeout(function nightly () { burn() }, 0)
  const report = await until(() => running.reports().find(({ kind }) => kind === 'blocked'))
  held.open()
  assert.deepEqual([report.requests, report.behind.map(({ url }) => url)], [[], ['/']])
  assert.ok(functions(report).some(name => name.endsWith('nightly')))
  assert.match(report.note!, /belongs to no request/)
  await answered
})

test('a request is reported once, by the watcher or by the monitor', async t => {
  const running = await start(t, { repeatAfter: 0, perMinute: 1000 }, app => app.get('/', async () => {
    await sleep(70)
    for (const end = performance.now() + 200; performance.now() < end;);
    await sleep(70)
  }))
  for (let turn = 0; turn < 5; turn++) await running.ask('/')
  await until(() => running.ends().length >= 5)
  assert.equal(running.reports().length, 5)
})

test('at each of several thresholds, of which some pass while the thread is blocked', async t => {
  const held = gate(t)
  const running = await start(t, { repeatAfter: 0 }, app => app.get('/', { config: { dogslow: [100, 300, 3000] } }, async () => {
    burn(2)
    await held.wait()
  }))
  const answered = running.ask('/')
  await until(() => running.reports().length >= 3)
  held.open()
  await answered
  await until(() => running.ends().length >= 3)
  assert.deepEqual(running.reports().map(({ kind }) => kind), ['blocked', 'blocked', 'waiting'])
})

test('a request that blocks the thread as soon as it comes, in a native call that nobody knows, is reported once, and its end is told', async t => {
  // To test that takes longer than the watcher waits for an answer.
  const prime = 2n ** 3217n - 1n
  const held = gate(t)
  const running = await start(t, { repeatAfter: 0, perMinute: 1000 }, app => {
    app.get('/first', async () => 'done')
    app.get('/prime', async () => String(checkPrimeSync(prime)))
    app.get('/stays', async () => {
      checkPrimeSync(prime)
      await held.wait()
    })
  })
  await running.ask('/first')
  assert.equal(await running.ask('/prime'), 200)
  const report = await until(() => running.reports()[0])
  assert.equal(report.kind, 'blocked')
  assert.match(report.note!, /native call/)
  const end = await until(() => running.ends()[0])
  assert.deepEqual([end.url, end.report, running.reports().filter(({ kind }) => kind === 'waiting').length], ['/prime', report.id, 0])

  const stays = running.ask('/stays')
  const other = await until(() => running.reports().find(({ kind, id }) => kind === 'blocked' && id !== report.id))
  held.open()
  assert.equal(await stays, 200)
  const { url } = await until(() => running.ends().find(({ report: id }) => id === other.id))
  assert.deepEqual([url, running.ends().filter(({ url }) => url === '/prime').length], ['/stays', 1])
})
