import assert from 'node:assert/strict'
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
