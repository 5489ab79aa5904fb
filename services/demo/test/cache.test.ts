import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { createCommandReader, ProtocolError } from '../src/cache/commands.ts'
import { startCacheServer } from '../src/cache/server.ts'
import type { CacheServer } from '../src/cache/server.ts'

const encode = (...words: string[]) => `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

describe('the reader of commands', () => {
  test('gives the same commands however they are cut', () => {
    const commands = [['SET', 'key', 'Grüße\r\n$3'], ['GET', ''], ['PING']]
    const bytes = Buffer.from(commands.map(words => encode(...words)).join(''))
    for (let size = 1; size <= bytes.length; size++) {
      const read = createCommandReader()
      const found: string[][] = []
      for (let at = 0; at < bytes.length; at += size) found.push(...read(bytes.subarray(at, at + size)))
      assert.deepEqual(found, commands, `in pieces of ${size}`)
    }
  })

  test('refuses what is no command, and what is too large, before it has come', () => {
    for (const text of ['GET / HTTP/1.1\r\n', '*1\r\n*1\r\n', '*x\r\n', '*-1\r\n', '*65\r\n', `*1\r\n$${2 ** 20 + 1}\r\n`, '*'.padEnd(100, '1')]) {
      assert.throws(() => createCommandReader()(Buffer.from(text)), ProtocolError, JSON.stringify(text))
    }
  })
})

describe('the cache server', () => {
  let server: CacheServer
  let client: Redis
  const options = { lazyConnect: true, enableReadyCheck: false, maxRetriesPerRequest: 1, retryStrategy: () => null }

  before(async () => {
    server = await startCacheServer()
    client = new Redis(server.url, options).on('error', () => {})
  })
  after(async () => {
    client?.disconnect()
    await server?.stop()
  })

  test('keeps values for a client of Redis, and counts', async () => {
    assert.equal(await client.get('ship'), null)
    assert.equal(await client.set('ship', 'Enterprise – NCC-1701-D', 'EX', 60), 'OK')
    assert.equal(await client.get('ship'), 'Enterprise – NCC-1701-D')
    assert.equal(await client.del('ship'), 1)
    assert.equal(await client.get('ship'), null)
    assert.equal(server.commands.get('GET'), 3)
    await assert.rejects(client.incr('ship'), /unknown command 'INCR'/)
    await assert.rejects(client.set('ship', 'x', 'EX', 0), /syntax error/)
  })

  test('forgets what has expired', async t => {
    await client.set('short', 'life', 'EX', 5)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 5_000 })
    assert.equal(await client.get('short'), null)
  })

  test('tells nothing to who has not its password', async () => {
    await client.set('secret', 'x')
    const stranger = new Redis(Object.assign(new URL(server.url), { password: 'guess' }).href, options).on('error', () => {})
    await assert.rejects(stranger.get('secret'), /NOAUTH/)
    stranger.disconnect()
  })

  test('ends a connection that speaks something else, and goes on', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\n\r\n')
    const [answer] = await once(socket.setEncoding('utf8'), 'data') as [string]
    assert.match(answer, /^-ERR /)
    assert.equal(await client.ping(), 'PONG')
  })

  test('is gone when it has stopped, whoever is still connected', async () => {
    const other = await startCacheServer()
    const guest = new Redis(other.url, options).on('error', () => {})
    await guest.ping()
    await other.stop()
    guest.disconnect()
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1')
    await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' })
  })
})
