/**
 * The apps that are measured: with the plugin, and the same one without it, in one process. Two processes of the
 * very same app differ by more than what is to be measured, by how V8 happens to optimise each.
 */
import { geordi } from '@geordi/fastify'
import Fastify from 'fastify'

const addresses: { plain?: string, profiled?: string } = {}
for (const app of process.argv[2] === 'profiled first' ? ['profiled', 'plain'] as const : ['plain', 'profiled'] as const) {
  addresses[app] = await listen(app === 'profiled')
}
process.send?.(addresses)
process.on('message', () => process.send?.(process.cpuUsage()))

async function listen (withPlugin: boolean): Promise<string> {
  const app = Fastify()
  if (withPlugin) {
    await app.register(geordi, {
      isAdmin: request => request.headers['x-admin'] === 'yes',
      secret: process.env['GEORDI_SECRET']!,
      queue: { url: process.env['GEORDI_QUEUE_URL']! }
    })
  }
  // An app has hooks of its own; one is the least.
  app.addHook('onRequest', (_request, _reply, done) => done())
  app.get('/hello', async () => ({ hello: 'world' }))
  app.get('/work', async () => ({ sum: addRoots(20) }))
  return app.listen({ port: 0, host: '127.0.0.1' })
}

function addRoots (milliseconds: number): number {
  let sum = 0
  for (const end = performance.now() + milliseconds; performance.now() < end;) sum += Math.sqrt(sum + 1)
  return sum
}
