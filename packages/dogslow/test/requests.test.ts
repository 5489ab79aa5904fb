import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Requests } from '../src/requests.ts'
import { TIMES, toShared } from '../src/shared.ts'
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

test('a request that an interruption finds while it is being numbered has one number, and is let go of', t => {
  const requests = table(t)
  const { open, answer } = ask(requests, new Socket())
  const { set } = Map.prototype
  let interruptions = 0
  t.mock.method(Map.prototype, 'set', function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
    if (value === open && interruptions++ === 0) requests.find(true)
    return set.call(this, key, value)
  })
  requests.know(open)
  t.mock.restoreAll()
  assert.deepEqual([interruptions, open.number], [1, 1])
  answer()
  requests.look()
  assert.equal(requests.isBusy, false)
})

test('a request that an interruption lists while another leaves has a place of its own', t => {
  const requests = table(t)
  const { open, answer } = ask(requests, new Socket())
  requests.look()
  const { open: other } = ask(requests, new Socket())
  const chunk = requests.chunks[0]!
  Object.defineProperty(requests.chunks, 0, {
    configurable: true,
    get () {
      Object.defineProperty(requests.chunks, 0, { configurable: true, writable: true, value: chunk })
      requests.look(true)
      return chunk
    }
  })
  answer()
  requests.leave(open)
  assert.deepEqual([chunk.start[other.place!], requests.count, requests.at(other.place!)], [other.start, 1, other])
})

test('a request that comes while an interruption looks is not passed over', t => {
  const requests = table(t)
  ask(requests, new Socket())
  const socket = new Socket()
  const raw = {
    get socket () {
      requests.look(true)
      return socket
    },
    destroyed: false,
    on () {}
  }
  ask(requests, new Socket()).answer()
  const open = requests.enter({ raw: { socket } } as FastifyRequest, { raw, elapsedTime: 0 } as unknown as FastifyReply)
  assert.deepEqual([requests.shared.times[TIMES.fresh], requests.isBusy], [open.start, true])
})

test('a request that has left is not listed again', t => {
  const requests = table(t)
  const { open, answer } = ask(requests, null)
  requests.look()
  answer()
  requests.leave(open)
  requests.list(open)
  assert.equal(requests.count, 0)
})
