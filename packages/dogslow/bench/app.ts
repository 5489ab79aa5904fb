/*
 * The apps that are measured: with dogslow, and the same without it, in one process. Two processes of the very same app differ by more than what is to
 * be measured, by how V8 happens to optimise each.
 */
import Fastify from 'fastify'
import { dogslow } from '@geordi/dogslow'

const mode = process.argv[2]
const addresses: { plain?: string, watched?: string } = {}
const apps = mode === 'watched first' ? ['watched', 'plain'] as const : mode === 'plain' ? ['plain'] as const : mode === 'watched' ? ['watched'] as const : ['plain', 'watched'] as const
for (const app of apps) addresses[app] = await listen(app === 'watched')
process.send?.(addresses)
process.on('message', message => {
  // Not beside requests that are measured: it would be most of what they cost.
  if (message === 'collect') globalThis.gc?.()
  process.send?.({ ...process.cpuUsage(), memory: process.memoryUsage(), open: held.length })
})

const held: Array<() => void> = []

async function listen (watched: boolean): Promise<string> {
  const app = Fastify()
  if (watched) await app.register(dogslow, { log: false, threshold: 600_000 })
  // An app has hooks of its own; one is the least.
  app.addHook('onRequest', (_request, _reply, done) => done())
  app.get('/hello', async () => ({ hello: 'world' }))
  app.get('/hold', async () => await new Promise<string>(resolve => { held.push(() => resolve('done')) }))
  return await app.listen({ port: 0, host: '127.0.0.1' })
}
