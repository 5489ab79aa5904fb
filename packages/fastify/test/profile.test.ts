import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AuditEvent, GeordiDecorator } from '@geordi/fastify'
import { ask, queueServer, start, take, type AppOptions, type Ask } from './support.ts'

const server = await queueServer()

/** An app whose every route asks for a profile of the very request, and answers with what came of it. */
async function app (t: TestContext, options: Partial<AppOptions> = {}) {
  const running = await start(t, server.url, app => {
    const { profile } = (app as FastifyInstance & { geordi: GeordiDecorator }).geordi
    app.all('/*', async (request: FastifyRequest) => profile(request).catch((error: { code: string, message: string }) => ({ code: error.code, message: error.message })))
  }, options)
  return { ...running, answer: async (path: string, options: Ask = {}) => JSON.parse((await ask(running.port, path, { admin: false, ...options })).text) }
}

describe('app.geordi.profile', () => {
  it('queues a request that nobody has flagged and that runs, in the name of who asks', async t => {
    const audit: AuditEvent[] = []
    const { name, answer } = await app(t, { audit: event => { audit.push(event) } })
    const worker = await take(t, { url: server.url, name })
    const { id, url } = await answer('/orders?customer=7&token=abc', { headers: { 'X-Case': 'Kept' } })
    const { request } = await worker.next()
    assert.equal(url, `/__geordi__/${id}`)
    assert.deepEqual({ method: request.method, url: request.url, shownUrl: request.shownUrl, by: request.by, body: request.body.length },
      { method: 'GET', url: '/orders?customer=7&token=abc', shownUrl: '/orders?customer=7&token=***', by: 'dogslow', body: 0 })
    assert.ok(request.rawHeaders.includes('X-Case'))
    assert.deepEqual(audit.map(({ action, who, path }) => ({ action, who, path })), [{ action: 'capture', who: 'dogslow', path: '/orders' }])
  })

  it('refuses what can\'t run once more without harm', async t => {
    const { answer } = await app(t)
    for (const [method, body] of [['POST', ''], ['DELETE', undefined], ['GET', 'a body']] as const) {
      const { code, message } = await answer('/orders?token=abc', { method, ...body === undefined ? {} : { body }, headers: { 'content-type': 'text/plain', ...body === undefined ? {} : { 'content-length': String(body.length) } } })
      assert.equal(code, 'GEORDI_NOT_SAFE')
      assert.ok(!message.includes('abc'))
    }
  })

  it('is limited as one admin is', async t => {
    const { answer } = await app(t, { maxOpenPerAdmin: 1 })
    assert.ok((await answer('/orders')).id)
    assert.equal((await answer('/orders')).code, 'GEORDI_TOO_MANY_OPEN')
  })
})
