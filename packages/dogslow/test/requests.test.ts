import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Requests } from '../src/requests.ts'
import { toShared } from '../src/shared.ts'
import { atEnd } from './support.ts'

function table (t: TestContext): Requests {
  const requests = new Requests(toShared(), { grown () {}, left () {}, text: () => ({ id: '', method: 'GET', url: '/', route: '/' }), threshold: 1000 })
  atEnd(t, () => requests.close())
  return requests
}

/** A request by a connection; without one it is known at once. */
function ask (requests: Requests, socket: object | null) {
  const raw = { socket, destroyed: false, on () {} }
  const open = requests.enter({ raw: { socket } } as FastifyRequest, { raw, elapsedTime: 0 } as unknown as FastifyReply)
  return { open, answer () { raw.destroyed = true } }
}

test('of ten thousand idle connections, only those are looked at by which a request came', t => {
  const requests = table(t)
  const read = new Set<number>()
  const connections = Array.from({ length: 10 }, (_value, at) => new Proxy(new Socket(), {
    get (socket, key, receiver) {
      if (typeof key === 'symbol' && key.description === 'dogslow request') read.add(at)
      return Reflect.get(socket, key, receiver) as unknown
    }
  }))
  for (const connection of connections) ask(requests, connection).answer()
  requests.find()
  ask(requests, connections[3]!).answer()
  const { open } = ask(requests, connections[3]!)
  read.clear()
  requests.find()
  assert.deepEqual([[...read], requests.named(open.number)], [[3], open])
  // Looked at once, it is looked at again.
  const { open: next } = ask(requests, connections[3]!)
  requests.find()
  assert.equal(requests.named(next.number), next)
})
