import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gate, start, until } from './support.ts'

test('apps that share a connection tell their own requests, each by its own thresholds', async t => {
  const held = gate(t)
  const inner = await start(t, { repeatAfter: 0 }, app => {
    app.get('/slow', async function slowInside () { await held.wait() })
    app.get('/left', { config: { dogslow: false } }, async () => { await held.wait() })
  })
  const outer = await start(t, { repeatAfter: 0 }, app => {
    app.get('/*', (request, reply) => {
      reply.hijack()
      inner.app.routing(request.raw, reply.raw)
    })
  })
  const answers = [outer.ask('/slow'), outer.ask('/left')]
  await until(() => inner.reports().length > 0)
  await sleep(200)
  held.open()
  assert.deepEqual(await Promise.all(answers), [200, 200])
  await until(() => inner.ends().length > 0)
  assert.deepEqual([inner, outer].map(({ reports }) => reports().map(({ requests: [request] }) => request!.route)), [['/slow'], []])
})

test('a request without a socket, as servers other than Node\'s have, is watched as well', async t => {
  const held = gate(t)
  const { app, reports, ends } = await start(t, {}, app => app.get('/slow', async () => { await held.wait(); return 'done' }))
  const request = Object.assign(new http.IncomingMessage(null as never), { method: 'GET', url: '/slow' })
  const response = new http.ServerResponse(request)
  app.routing(request, response)
  await until(() => reports().length > 0)
  held.open()
  await until(() => response.writableEnded)
  response.destroy()
  await until(() => ends().length > 0)
})
