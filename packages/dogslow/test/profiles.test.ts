import assert from 'node:assert/strict'
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
    app.get('/blocks', async () => { burn(500) })
  })
  await Promise.all([1, 2, 3].map(id => running.ask(`/a/${id}`)))
  await running.ask('/a/4', { method: 'POST' })
  await running.ask('/a/5', { method: 'HEAD' })
  await running.ask('/blocks')
  await until(() => running.ends().length === 6)
  assert.deepEqual(queued.sort(), ['GET /a/1', 'GET /a/2', 'GET /blocks', 'HEAD /a/5'])
  const told = await until(() => running.profiles().length === 4 && running.profiles())
  const ids = new Set(running.reports().map(({ id }) => id))
  assert.ok(told.every(({ report }) => ids.has(report)))
  assert.match(told[0]!.summary, /^GET \/a\/:id is queued for profiling: \/__geordi__\/replay\d$/)
})

test('profile: \'auto\' uses what geordi has decorated the app with; what that throws goes to the log and nowhere else', async t => {
  const asked: string[] = []
  const running = await start(t, { profile: 'auto' }, app => {
    app.decorate('geordi', {
      profile: async (request: FastifyRequest) => {
        asked.push(request.url)
        throw new Error('the queue is away')
      }
    })
    app.get('/', async () => { await sleep(250) })
  })
  assert.equal(await running.ask('/'), 200)
  await until(() => running.ends()[0])
  assert.deepEqual([asked, running.profiles()], [['/'], []])
})

test('in a replay process dogslow stands aside', async t => {
  process.env.GEORDI_REPLAY = '1'
  t.after(() => { delete process.env.GEORDI_REPLAY })
  const running = await start(t, {}, app => app.get('/', async () => { await sleep(300) }))
  assert.equal(await running.ask('/'), 200)
  assert.deepEqual(running.events, [])
})
