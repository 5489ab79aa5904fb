import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { burn, start, until } from './support.ts'

test('slow GETs and HEADs are queued for profiling, a few an hour and route, and what was queued is told', async t => {
  const queued: string[] = []
  const profile = async ({ method, url }: FastifyRequest) => {
    queued.push(`${method} ${url}`)
    return { id: `replay${queued.length}`, url: `/__geordi__/replay${queued.length}` }
  }
  const running = await start(t, { profile, profilesPerHour: 2, repeatAfter: 0 }, app => {
    for (const method of ['GET', 'POST'] as const) app.route({ method, url: '/a/:id', handler: async () => { await sleep(250) } })
    app.get('/blocks', async () => { burn() })
  })
  await Promise.all([1, 2, 3].map(id => running.ask(`/a/${id}`)))
  await running.ask('/a/4', { method: 'POST' })
  await running.ask('/a/5', { method: 'HEAD' })
  await running.ask('/blocks')
  // On a busy machine one may be told to wait behind another's code first, and has two reports then.
  await until(() => new Set(running.ends().map(({ method, url }) => `${method} ${url}`)).size === 6)
  assert.deepEqual(queued.map(what => what.replace(/[123]$/, 'any')).sort(), ['GET /a/any', 'GET /a/any', 'GET /blocks', 'HEAD /a/5'])
  const told = await until(() => running.profiles().length >= 4 && running.profiles())
  const ids = new Set(running.reports().map(({ id }) => id))
  assert.ok(told.every(({ report }) => ids.has(report)))
  assert.match(told[0]!.summary, /^GET \/a\/:id is queued for profiling: \/__geordi__\/replay\d$/)
})

test('profile: \'auto\' uses what geordi has decorated the app with; a queue that refuses uses up no turn, and is told of once', async t => {
  const asked: string[] = []
  let log = ''
  const stream = new Writable({ write: (chunk, _encoding, done) => { log += String(chunk); done() } })
  const running = await start(t, { profile: 'auto', log: false, repeatAfter: 0 }, app => {
    app.decorate('geordi', {
      profile: async (request: FastifyRequest) => {
        asked.push(request.url)
        if (asked.length < 3) throw new Error('the queue is away')
        return { id: 'replay', url: '/replay' }
      }
    })
    app.get('/', async () => { await sleep(250) })
  }, { logger: { stream } })
  for (let turn = 1; turn <= 4; turn++) {
    assert.equal(await running.ask('/'), 200)
    await until(() => new Set(running.ends().map(({ time }) => time)).size >= turn)
  }
  assert.deepEqual([asked.length, running.profiles().length, log.split('the queue is away').length > 1, log.split('could not queue').length - 1], [3, 1, true, 1])
})

test('in a replay process dogslow stands aside', async t => {
  process.env.GEORDI_REPLAY = '1'
  t.after(() => { delete process.env.GEORDI_REPLAY })
  const running = await start(t, {}, app => app.get('/', async () => { await sleep(300) }))
  assert.equal(await running.ask('/'), 200)
  assert.deepEqual(running.events, [])
})
