import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import http from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Report } from '@geordi/dogslow'
import { atEnd, burn, gate, start, until, type Running } from './support.ts'

/** Whose code blocks the thread, as the next report has it. */
async function blockedBy (running: Running, path: string): Promise<string | undefined> {
  const seen = running.reports().length
  const answered = running.ask(path)
  const report = await until(() => running.reports().slice(seen).find(({ kind }) => kind === 'blocked'))
  await answered
  return ownerOf(report)
}

function ownerOf ({ requests: [request] }: Report): string | undefined {
  return request?.url
}

/** Asks by a connection that is kept. */
function oneConnection (t: TestContext, origin: string): (path: string) => Promise<string> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  atEnd(t, () => agent.destroy())
  return async path => await new Promise((resolve, reject) => {
    http.get(origin + path, { agent }, response => {
      let text = ''
      response.on('data', chunk => { text += chunk }).on('end', () => resolve(text))
    }).on('error', reject)
  })
}

/** One that blocks after it has awaited something, and one that fails. */
function addRoutes (app: FastifyInstance): void {
  app.get('/late', async () => {
    await sleep(1)
    burn()
    return 'late'
  })
  app.get('/fails', async () => {
    await sleep(1)
    throw new Error('It fails.')
  })
}

test('code that goes on after its answer is not taken for that of the next request on the same connection', async t => {
  const held = gate(t)
  const next = gate(t)
  let isThere = false
  const running = await start(t, {}, app => {
    app.get('/first', async function first (_request, reply) {
      await reply.send('answered')
      await next.wait()
      burn()
    })
    app.get('/second', async () => {
      isThere = true
      await held.wait()
      return 'second'
    })
  })
  const ask = oneConnection(t, running.origin)
  assert.equal(await ask('/first'), 'answered')
  const second = ask('/second')
  await until(() => isThere)
  next.open()
  const report = await until(() => running.reports().find(({ kind }) => kind === 'blocked'))
  held.open()
  assert.deepEqual([ownerOf(report), report.behind.map(({ url }) => url)], [undefined, ['/second']])
  assert.ok(report.stack.some(frame => frame.function === 'first'))
  assert.equal(await second, 'second')
})

test('what an app does within an AsyncLocalStorage is told as its requests\', and has its store', async t => {
  const storage = new AsyncLocalStorage<string>()
  const stores: Array<string | undefined> = []
  const running = await start(t, { repeatAfter: 0 }, app => {
    app.addHook('onRequest', (request, _reply, done) => { storage.run(request.url, done) })
    app.addHook('preHandler', async function authorise () { await sleep(1) })
    app.get('/:id', async () => {
      await sleep(1)
      burn()
      await sleep(1)
      stores.push(storage.getStore())
    })
  })
  for (const path of ['/first', '/second']) assert.equal(await blockedBy(running, path), path)
  assert.deepEqual(stores, ['/first', '/second'])
})

test('whoever wraps handlers and hooks gets promises, and may await them as often as it likes', async t => {
  const seen: string[] = []
  const running = await start(t, { repeatAfter: 0 }, app => {
    app.addHook('onRoute', (route: RouteOptions) => {
      const handler = route.handler as (...args: unknown[]) => Promise<unknown>
      route.handler = function (this: unknown, ...args: unknown[]) {
        const promise = handler.apply(this, args)
        promise.then(() => seen.push('then'), () => seen.push('caught'))
        return promise.finally(() => seen.push('finally'))
      } as RouteOptions['handler']
    })
    addRoutes(app)
  })
  assert.equal(await blockedBy(running, '/late'), '/late')
  assert.equal(await running.ask('/fails'), 500)
  assert.deepEqual(seen, ['then', 'finally', 'caught', 'finally'])
})

test('who has kept a handler for a route of its own may call it, and do with the promise what is done with promises', async t => {
  const running = await start(t, { repeatAfter: 0 }, app => {
    app.addHook('onRoute', function (route: RouteOptions) {
      const { handler, url } = route
      if (url.startsWith('/again') || route.method === 'HEAD') return
      const call = (request: unknown, reply: unknown) => (handler as unknown as (...args: unknown[]) => Promise<unknown>).call(this, request, reply)
      this.get(`/again/catch${url}`, async (request, reply) => await call(request, reply).catch(() => 'caught'))
      this.get(`/again/finally${url}`, async (request, reply) => await call(request, reply).finally(() => { reply.header('seen', 'finally') }))
      this.get(`/again/then${url}`, async (request, reply) => await call(request, reply).then(value => `then ${String(value)}`))
    })
    addRoutes(app)
  })
  // Fastify calls it first.
  assert.equal(await running.ask('/fails'), 500)
  for (const path of ['/late', '/again/catch/late', '/again/finally/late', '/again/then/late']) assert.equal(await blockedBy(running, path), path)
  const statuses = await Promise.all(['catch', 'finally', 'then'].map(async what => await running.ask(`/again/${what}/fails`)))
  assert.deepEqual(statuses, [200, 500, 500])
})

test('hooks, handlers that promise, fail or are synchronous, HEAD, and what Fastify makes of an answer: all of it is the request\'s code', async t => {
  const running = await start(t, { repeatAfter: 0 }, app => {
    app.addHook('onSend', async (request, _reply, payload) => {
      if (!request.url.startsWith('/hook')) return payload
      await sleep(1)
      burn()
      return payload
    })
    app.get('/sync', (_request, reply) => {
      burn()
      reply.send('sync')
    })
    app.get('/hook', async () => 'hook')
    app.get('/then', () => sleep(1).then(async () => {
      await sleep(1)
      burn()
      return 'then'
    }))
    app.get('/fails', async () => {
      await sleep(1)
      burn()
      throw new Error('It fails.')
    })
    const recurse = (depth: number): void => {
      if (depth === 0) burn()
      else recurse(depth - 1)
    }
    app.get('/deep', async () => {
      await sleep(1)
      recurse(3000)
    })
    app.get('/answer', async () => {
      await sleep(1)
      return { toJSON () { burn() } }
    })
  })
  for (const path of ['/sync', '/hook', '/then', '/fails', '/deep', '/answer']) assert.equal(await blockedBy(running, path), path)
  const seen = running.reports().length
  assert.equal(await running.ask('/then?head', { method: 'HEAD' }), 200)
  const report = await until(() => running.reports()[seen])
  assert.deepEqual([report.requests[0]!.method, ownerOf(report)], ['HEAD', '/then?head'])
})

test('a handler of errors that fails itself is answered for by Fastify, as without dogslow', async t => {
  const running = await start(t, {}, app => {
    app.setErrorHandler(() => { throw new Error('The handler of errors fails.') })
    app.get('/', async () => {
      await sleep(1)
      throw new Error('It fails.')
    })
  })
  assert.equal(await running.ask('/'), 500)
})

test('a callback of a request that has been answered is nobody\'s, and what it waited for is forgotten', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = gate(t)
  const over: Array<() => void> = []
  const answered: Array<WeakRef<object>> = []
  const callBack = () => { for (const one of over.splice(0)) one() }
  const timers = new Set<NodeJS.Timeout>()
  atEnd(t, () => timers.forEach(timer => clearTimeout(timer)))
  const running = await start(t, { waits: { budget: 1 } }, app => {
    const leave = (request: object, delay: number) => {
      answered.push(new WeakRef(request))
      timers.add(setTimeout(callBack, delay))
      return 'done'
    }
    app.get('/sync', (request, reply) => { reply.send(leave(request.raw, 600_000)) })
    app.get('/late', async request => {
      await sleep(1)
      return leave(request.raw, 600_000)
    })
    app.get('/soon', async request => leave(request.raw, 300))
    app.get('/held', { config: { dogslow: Array.from({ length: 100 }, (_value, at) => 100 + 100 * at) } }, async () => { await held.wait() })
  })
  const ask = oneConnection(t, running.origin)
  for (const path of ['/sync', '/late', '/sync', '/late', '/soon']) await ask(path)
  over.push(burn)
  const other = running.ask('/held')
  const report = await until(() => running.reports().find(({ kind }) => kind === 'blocked'))
  assert.deepEqual([ownerOf(report), report.behind.map(({ url }) => url)], [undefined, ['/held']])
  held.open()
  await other
  // Node keeps the last response of a connection.
  await until(() => {
    collect()
    return answered.filter(reference => reference.deref() !== undefined).length <= 1
  })
  assert.equal(answered.length, 5)
})

test('without async hooks, which node:test has, requests are told alike', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('./owners-child.js', import.meta.url))])
  const { hadHooks, owners } = JSON.parse(stdout) as { hadHooks: boolean, owners: Record<string, Array<string | null>> }
  assert.equal(hadHooks, false)
  const paths = ['/sync', '/late', '/then', '/hook', '/pre', '/own', '/wrapped', '/deep', '/injected']
  assert.deepEqual(owners, Object.fromEntries(paths.map(path => [path, [path]])))
})
