import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { RouteTimeoutError, timebox, type TimeboxOptions } from '../src/fastify.ts'
import { currentDeadline, timeout } from '../src/index.ts'

const forever = () => new Promise<never>(() => {})

/** An application, with what it logs. */
async function build (options: TimeboxOptions = {}): Promise<{ app: FastifyInstance, logs: Array<Record<string, any>> }> {
  const logs: Array<Record<string, any>> = []
  const app = Fastify({ logger: { level: 'debug', stream: { write: (line: string) => { logs.push(JSON.parse(line)) } } } })
  await app.register(timebox, options)
  return { app, logs }
}

describe('the Fastify plugin', () => {
  it('answers 503 with Retry-After when the time of a route is up, and logs what it was doing', async () => {
    const { app, logs } = await build({ retryAfter: 7 })
    app.get('/slow', { config: { timebox: '500ms' } }, async () => {
      await timeout(60_000, async box => {
        class Connection { [Symbol.dispose] () {} }
        box.use(new Connection())
        box.defer(function unlock () {})
        box.acquire(async function openFile () { return forever() }, () => {})
        await forever()
      }, { label: 'loading the orders' })
    })
    const response = await app.inject('/slow')
    assert.equal(response.statusCode, 503)
    assert.equal(response.headers['retry-after'], '7')
    assert.deepEqual(response.json(), {
      statusCode: 503, code: 'GEORDI_BOX_TIMEOUT', error: 'Service Unavailable', message: 'GET /slow took longer than its limit of 500 ms.'
    })
    const { timebox: report, reqId } = logs.find(line => line.timebox !== undefined)!
    assert.ok(reqId !== undefined)
    assert.equal(report.label, 'GET /slow')
    assert.equal(report.limit, 500)
    assert.ok(report.elapsed >= 499)
    assert.equal(report.waitingFor.length, 1)
    assert.equal(report.waitingFor[0].label, 'loading the orders')
    assert.deepEqual(report.waitingFor[0].holds, ['Connection', 'unlock()', 'openFile()'])
    assert.deepEqual(report.holds, [])
    assert.equal(report.interrupted, undefined)
    await app.close()
  })

  it('lets the application\'s error handler answer', async () => {
    const { app } = await build()
    app.setErrorHandler((error, _request, reply) => {
      assert.ok(error instanceof RouteTimeoutError)
      return reply.code(error.statusCode).send({ sorry: true })
    })
    app.get('/slow', { config: { timebox: 20 } }, forever)
    const response = await app.inject('/slow')
    assert.equal(response.statusCode, 503)
    assert.equal(response.headers['retry-after'], '10')
    assert.deepEqual(response.json(), { sorry: true })
    await app.close()
  })

  it('leaves routes in time, and those without a timebox, as they are', async () => {
    const { app, logs } = await build()
    app.get('/async', { config: { timebox: '60s' } }, async () => ({ remaining: currentDeadline() < Infinity }))
    app.get('/value', { config: { timebox: '60s' } }, () => ({ sync: true }))
    app.get('/callback', { config: { timebox: '60s' } }, (_request, reply) => { setTimeout(() => { reply.send({ callback: true }) }, 5) })
    app.get('/reply', { config: { timebox: '60s' } }, async (_request, reply) => reply.code(201).send({ reply: true }))
    app.get('/error', { config: { timebox: '60s' } }, async () => { throw Object.assign(new Error('teapot'), { statusCode: 418 }) })
    app.get('/free', async () => ({ free: currentDeadline() === Infinity }))
    assert.deepEqual((await app.inject('/async')).json(), { remaining: true })
    assert.deepEqual((await app.inject('/value')).json(), { sync: true })
    assert.deepEqual((await app.inject('/callback')).json(), { callback: true })
    assert.equal((await app.inject('/reply')).statusCode, 201)
    assert.equal((await app.inject('/error')).statusCode, 418)
    assert.deepEqual((await app.inject('/free')).json(), { free: true })
    assert.deepEqual(logs.filter(line => line.level > 30), [])
    await app.close()
  })

  it('limits a handler that answers by a callback, and what answers late is dropped', async () => {
    const { app } = await build()
    app.get('/callback', { config: { timebox: 20 } }, (_request, reply) => { setTimeout(() => { reply.send('late') }, 60) })
    app.get('/late', { config: { timebox: 20 } }, async () => { await sleep(40); throw new Error('late') })
    for (const url of ['/callback', '/late']) assert.equal((await app.inject(url)).statusCode, 503)
    await sleep(80)
    await app.close()
  })

  it('aborts request.signal with the error; requests on one connection do not see each other', async () => {
    const { app } = await build()
    const reasons: unknown[] = []
    app.post('/slow', { config: { timebox: 1000 } }, async request => {
      await sleep(5)
      assert.equal(request.signal.aborted, false)
      await new Promise(resolve => { request.signal.addEventListener('abort', resolve) })
      reasons.push(request.signal.reason)
      await forever()
    })
    app.get('/next', { config: { timebox: '60s' } }, async request => ({ fresh: currentDeadline() > performance.now() + 1000, aborted: request.signal.aborted }))
    await app.listen({ port: 0, host: '127.0.0.1' })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    try {
      assert.equal((await ask(app, agent, 'POST', '/slow')).status, 503)
      assert.ok(reasons[0] instanceof RouteTimeoutError)
      assert.deepEqual(JSON.parse((await ask(app, agent, 'GET', '/next')).body), { fresh: true, aborted: false })
    } finally {
      agent.destroy()
      await app.close()
    }
  })

  it('aborts request.signal when the client goes away, as Fastify does', async () => {
    const { app } = await build()
    let aborted: (() => void) | undefined
    const gone = new Promise<void>(resolve => { aborted = resolve })
    let arrived: (() => void) | undefined
    const there = new Promise<void>(resolve => { arrived = resolve })
    app.get('/slow', { config: { timebox: '20s' } }, async request => {
      request.signal.addEventListener('abort', () => { aborted?.() })
      arrived?.()
      await gone
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    try {
      const request = http.get({ port: (app.server.address() as AddressInfo).port, host: '127.0.0.1', path: '/slow', agent: false })
      request.on('error', () => {})
      await there
      request.destroy()
      await gone
    } finally {
      await app.close()
    }
  })

  it('cuts an answer off that had begun, instead of letting it look whole', async () => {
    const { app } = await build()
    app.get('/partial', { config: { timebox: 40 } }, async (_request, reply) => {
      reply.raw.writeHead(200, { 'content-type': 'text/plain' })
      reply.raw.write('the first half')
      await forever()
    })
    app.get('/next', async () => 'alive')
    await app.listen({ port: 0, host: '127.0.0.1' })
    const agent = new http.Agent()
    try {
      await assert.rejects(ask(app, agent, 'GET', '/partial'), /aborted|hang up|ECONNRESET/)
      assert.equal((await ask(app, agent, 'GET', '/next')).body, 'alive')
    } finally {
      agent.destroy()
      await app.close()
    }
  })

  it('interrupts synchronous code of a handler through timeout.sync, and logs where that was', async () => {
    const { app, logs } = await build()
    const matchOrders = () => timeout.sync(60_000, () => timeout.sync(70_000, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), { label: 'the pattern' }), { label: 'all patterns' })
    timeout.sync.prepare()
    app.get('/regex', { config: { timebox: 1000 } }, async () => {
      await sleep(1)
      return matchOrders()
    })
    assert.equal((await app.inject('/regex')).statusCode, 503)
    const { interrupted } = logs.find(line => line.timebox !== undefined)!.timebox
    assert.deepEqual(interrupted.boxes, ['all patterns', 'the pattern'])
    assert.ok(interrupted.elapsed > 0 && interrupted.elapsed <= 60_000)
    assert.match(interrupted.stack[0], /^at matchOrders \(.*fastify\.test\.js:\d+:\d+\)$/)
    await app.close()
  })

  it('logs one line a request, also for the HEAD routes that Fastify adds', async () => {
    const { app, logs } = await build()
    app.get('/slow', { config: { timebox: 20 } }, forever)
    for (const method of ['HEAD', 'GET'] as const) {
      assert.equal((await app.inject({ method, url: '/slow' })).statusCode, 503)
      assert.deepEqual(logs.splice(0).filter(line => line.timebox !== undefined).map(line => line.timebox.label), [`${method} /slow`])
    }
    await app.close()
  })

  it('checks a timebox when the route is added, and its own options', async () => {
    const { app } = await build()
    for (const wrong of ['20', 'soon', '-1s', 0, -5, NaN, {}, true]) {
      assert.throws(() => { app.get(`/${String(wrong)}`, { config: { timebox: wrong as string } }, forever) },
        { code: 'GEORDI_BOX_BAD_OPTION', message: /The timebox of GET/ })
    }
    for (const right of ['500ms', '1.5s', '2 m', '1h', 20, 0.5]) app.get(`/right-${right}`, { config: { timebox: right } }, forever)
    await app.close()
    for (const options of [{ retryAfter: -1 }, { retryAfter: 1.5 }, { retryafter: 1 }]) {
      await assert.rejects(build(options as TimeboxOptions), { code: 'GEORDI_BOX_BAD_OPTION' })
    }
  })
})

function ask (app: FastifyInstance, agent: http.Agent, method: string, path: string): Promise<{ status: number | undefined, body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = app.server.address() as AddressInfo
    const request = http.request({ port, host: '127.0.0.1', agent, method, path }, response => {
      let body = ''
      response.on('data', chunk => { body += String(chunk) })
      response.on('end', () => { resolve({ status: response.statusCode, body }) })
      response.on('error', reject)
    })
    request.on('error', reject)
    if (method === 'POST') request.setHeader('content-type', 'application/json')
    request.end(method === 'POST' ? '{"a":1}' : undefined)
  })
}
