// Blocks its thread in several ways, and prints who was told to. A process of its own: node:test has async hooks.
import type { TestContext } from 'node:test'
import type { RouteOptions } from 'fastify'
import { burn, start, until } from './support.ts'

const cleanUps: Array<() => unknown> = []
const t = { after: (cleanUp: () => unknown) => { cleanUps.push(cleanUp) } } as unknown as TestContext
// What waits is named by a stack that it takes; here only the interrupt takes one.
const running = await start(t, { waits: false, threshold: Array.from({ length: 100 }, (_value, at) => 100 + 100 * at), repeatAfter: 0, perMinute: 1000 }, app => {
  const recurse = (depth: number): void => {
    if (depth === 0) burn()
    else recurse(depth - 1)
  }
  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.url !== '/wrapped') return
    const handler = route.handler as (...args: unknown[]) => Promise<unknown>
    route.handler = async function (this: unknown, ...args: unknown[]) { return await handler.apply(this, args) } as RouteOptions['handler']
  })
  app.addHook('preHandler', async request => {
    await undefined
    if (request.url === '/pre') burn()
  })
  app.addHook('onSend', async request => {
    await undefined
    if (request.url === '/hook') burn()
  })
  const late = async () => {
    await undefined
    burn()
  }
  app.get('/sync', (_request, reply) => {
    burn()
    reply.send('done')
  })
  for (const path of ['/late', '/wrapped', '/injected']) app.get(path, late)
  app.get('/then', () => Promise.resolve().then(async () => {
    // What awaits this one is there two turns later.
    for (let turns = 0; turns < 3; turns++) await undefined
    await late()
  }))
  for (const path of ['/hook', '/pre']) app.get(path, async () => 'done')
  app.get('/own', { preHandler: late }, async () => 'done')
  app.get('/deep', async () => {
    await undefined
    recurse(3000)
  })
})
// Node numbers promises only then.
const hadHooks = Object.getOwnPropertySymbols(Promise.resolve()).length > 0
const owners: Record<string, Array<string | null>> = {}
for (const path of ['/sync', '/late', '/then', '/hook', '/pre', '/own', '/wrapped', '/deep', '/injected']) {
  const seen = running.reports().length
  const blocked = () => running.reports().slice(seen).filter(({ kind }) => kind === 'blocked')
  if (path === '/injected') await running.app.inject(path)
  else await running.ask(path)
  // On a busy machine there may be several; when its end is told, all are there.
  await until(() => blocked().length > 0 && blocked().every(({ id }) => running.ends().some(({ report }) => report === id)))
  owners[path] = [...new Set(blocked().map(({ requests: [request] }) => request?.url ?? null))]
}
console.log(JSON.stringify({ hadHooks, owners }))
for (const cleanUp of cleanUps) await cleanUp()
