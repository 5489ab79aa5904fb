import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import mysql from 'mysql2'
import { liveWaits, type LiveWaits } from '@geordi/waits/live'

const owner = {}
const asOwner = { 'owner#1' (call: () => void) { call() } }['owner#1']!

function watch (t: TestContext, budget: number): LiveWaits {
  const waits = liveWaits({ prefix: 'owner#', of: () => owner, any: () => true }, budget)
  t.after(() => waits.stop())
  return waits
}

/** A server that answers when it is told to, with the protocol's server side that mysql2 has too. */
async function startServer (t: TestContext): Promise<{ readonly port: number, readonly ready: () => void, readonly asked: () => Promise<void>, readonly answer: () => void }> {
  const server = mysql.createServer(() => {}) as unknown as NodeJS.EventEmitter & { listen (port: number, host: string, done: () => void): void, close (done: () => void): void, _server: Server }
  const questions: Array<() => void> = []
  let seen = 0
  let count = 0
  const clients: Array<{ readonly stream: Socket, sequenceId: number }> = []
  server.on('connection', client => {
    clients.push(client)
    client.serverHandshake({ protocolVersion: 10, serverVersion: 'test', connectionId: 1, statusFlags: 2, characterSet: 8, capabilityFlags: 0xffffff })
    client.on('error', () => {})
    client.on('query', () => {
      count++
      server.emit('asked')
      questions.push(() => {
        client.sequenceId = 1
        client.writeOk({ affectedRows: 1 })
        client.sequenceId = 0
      })
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    const closed = new Promise<void>(resolve => server.close(resolve))
    for (const client of clients) client.stream.destroy()
    await closed
  })
  return {
    // After the handshake, which it counts on from.
    ready: () => { for (const client of clients) client.sequenceId = 0 },
    port: (server._server.address() as AddressInfo).port,
    asked: async () => {
      if (seen++ >= count) await once(server, 'asked')
    },
    answer: () => questions.shift()!()
  }
}

test('past the budget, a connection of mysql2 tells what it waits for, from the first look at it on, until it is answered', async t => {
  const { port, ready, asked, answer } = await startServer(t)
  const connection = mysql.createConnection({ host: '127.0.0.1', port, user: 'someone', database: 'shop' })
  connection.on('error', () => {})
  t.after(() => connection.destroy())
  await new Promise<void>((resolve, reject) => { connection.connect(error => error === null ? resolve() : reject(error)) })
  ready()
  const ask = async (sql: string) => await new Promise<void>((resolve, reject) => { connection.query(sql, ['secret'], error => error === null ? resolve() : reject(error)) })

  const past = watch(t, 0)
  const first = ask('UPDATE item SET name = ? WHERE id = 1')
  const second = ask('UPDATE item SET name = ? WHERE id = 2')
  await asked()
  assert.deepEqual(past.unassignedSince(0), [])
  past.look(100)
  past.look(350)
  const told = [{ kind: 'sql', statement: 'UPDATE item SET name = ? WHERE id = ?', target: `127.0.0.1:${port}/shop`, driver: 'mysql2', start: 100 }]
  assert.deepEqual(past.unassignedSince(0), told)
  assert.deepEqual(past.unassignedSince(101), [])
  answer()
  await first
  await asked()
  past.look(600)
  assert.deepEqual(past.unassignedSince(0), [{ ...told[0], start: 600 }])
  answer()
  await second
  past.look(900)
  assert.deepEqual(past.unassignedSince(0), [])
  past.stop()

  // What is noted is told once.
  const within = watch(t, 1)
  let third: Promise<void>
  asOwner(() => { third = ask('DELETE FROM item') })
  await asked()
  within.look(1000)
  assert.deepEqual(within.of(owner).pending.map(({ statement }) => statement), ['DELETE FROM item'])
  assert.deepEqual(within.unassignedSince(0), [])
  answer()
  await third!
})
