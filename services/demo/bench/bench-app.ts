/** The app that is measured: with the plugin where GEORDI_QUEUE_URL is given, the same one without it where not. */
import { geordi } from '@geordi/fastify'
import Fastify from 'fastify'

const app = Fastify()
const url = process.env['GEORDI_QUEUE_URL']
if (url !== undefined) {
  await app.register(geordi, {
    isAdmin: request => request.headers['x-admin'] === 'yes',
    secret: process.env['GEORDI_SECRET']!,
    queue: { url }
  })
}
// An app has hooks of its own; one is the least.
app.addHook('onRequest', (_request, _reply, done) => done())
app.get('/hello', async () => ({ hello: 'world' }))
app.get('/work', async () => ({ sum: addRoots(20) }))
const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ address })

function addRoots (milliseconds: number): number {
  let sum = 0
  for (const end = performance.now() + milliseconds; performance.now() < end;) sum += Math.sqrt(sum + 1)
  return sum
}
