/*
 * The apps that are measured: with dogslow, and the same without it. For a request that waits for nothing both are in one process: two processes of the
 * very same app differ by more than what is to be measured, by how V8 happens to optimise each. What notes waits is the whole process's, so
 * where there are some, each app has one to itself.
 *
 * Its arguments: which apps, by commas and in this order; where PostgreSQL and Redis are, for /work.
 */
import { devNull } from 'node:os'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import pg from 'pg'
import { dogslow } from '@geordi/dogslow'

const [, , apps = '', postgres, redis] = process.argv
const addresses: Record<string, string> = {}
for (const app of apps.split(',')) addresses[app] = await listen(app)
process.send?.(addresses)
process.on('message', message => {
  // Not beside requests that are measured: it would be most of what they cost.
  if (message === 'collect') globalThis.gc?.()
  process.send?.({ ...process.cpuUsage(), memory: process.memoryUsage(), open: held.length })
})

const held: Array<() => void> = []

async function listen (name: string): Promise<string> {
  const works = postgres !== undefined && redis !== undefined
  // An app that does some work logs its requests as well: two lines each, as Fastify has it.
  const app = Fastify({ logger: works ? { file: devNull } : false })
  if (name !== 'plain') await app.register(dogslow, { log: false, threshold: 600_000, waits: name === 'unbounded' ? { budget: 1 } : true })
  // An app has hooks of its own; one is the least.
  app.addHook('onRequest', (_request, _reply, done) => done())
  app.get('/hello', async () => ({ hello: 'world' }))
  app.get('/hold', async () => await new Promise<string>(resolve => { held.push(() => resolve('done')) }))
  if (works) addWork(app, new pg.Pool({ connectionString: postgres }), new Redis(redis))
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

/** What a request of a real app does: five operations, one after the other. */
function addWork (app: FastifyInstance, pool: pg.Pool, cache: Redis): void {
  const loadUser = async (id: number) => {
    const cached = await cache.get(`user:${id}`)
    if (cached !== null) return cached
    const { rows: [user] } = await pool.query<{ name: string }>("select 'user ' || $1::int as name", [id])
    return user!.name
  }
  const loadOrders = async (id: number) => {
    const { rows: orders } = await pool.query<{ id: number }>('select n as id from generate_series(1, $1::int) as n', [id])
    const { rows: [total] } = await pool.query<{ sum: string }>('select sum(n) from generate_series(1, $1::int) as n', [id])
    return { orders, total: total!.sum }
  }
  app.get('/work', async () => {
    const user = await loadUser(7)
    const { orders, total } = await loadOrders(10)
    await cache.set('seen:7', user)
    return { user, orders, total }
  })
}
