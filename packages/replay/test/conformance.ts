import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openBackend, ReplayError, Replays, type Backend, type BackendOptions, type CapturedRequest, type Replay, type ReplayTask } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'

const SECRET = 'a secret of at least 32 characters'
const TTL = 60

/** What every queue server must do: run on Redis and on PostgreSQL, on real ones. */
export function conformance (kind: 'redis' | 'postgres', skip: string | false): void {
  describe(`the queue and the result store on ${kind}`, { skip }, () => {
    let server: LocalServer
    const opened: Array<{ close (): Promise<void> }> = []

    before(async () => { server = await startLocalServer({ kind }) })
    after(async () => {
      for (const one of opened.reverse()) await one.close()
      await server?.stop()
    })

    const keep = <T extends { close (): Promise<void> }> (one: T): T => {
      opened.push(one)
      return one
    }
    const backend = async (options: Partial<BackendOptions> = {}): Promise<Backend> =>
      keep(await openBackend({ url: server.url, name: unique(), role: 'web', ...options }))
    const replaysOf = async (name: string, role: 'web' | 'worker', secret: string | string[] = SECRET) =>
      keep(await Replays.open({ url: server.url, name, secret, role }))

    it('keeps a replay and its artefacts apart from others', async () => {
      const { store } = await backend()
      await store.create('a', bytes('record a'), bytes('capture a'), TTL)
      await store.create('b', bytes('record b'), bytes('capture b'), TTL)
      await store.put('a', 'report.pdf', bytes('report a'))
      assert.deepEqual(await store.read('a'), { record: bytes('record a'), claimed: false, leased: false })
      assert.deepEqual(await store.get('a', 'capture'), bytes('capture a'))
      assert.deepEqual(await store.get('a', 'report.pdf'), bytes('report a'))
      assert.equal(await store.get('b', 'report.pdf'), null)
      assert.equal(await store.read('c'), null)
      assert.equal(await store.get('c', 'capture'), null)
    })

    it('keeps every byte of an artefact of several megabytes', async () => {
      const { store } = await backend({ role: 'worker' })
      const large = randomBytes(5_000_000)
      await store.create('large', bytes('record'), bytes('capture'), TTL)
      await store.put('large', 'profile', large)
      assert.ok(large.equals((await store.get('large', 'profile'))!))
    })

    it('lets a replay be claimed once, whoever asks and however many at once', async () => {
      const name = unique()
      const backends = await Promise.all([backend({ name }), backend({ name })])
      await backends[0]!.store.create('x', bytes('r'), bytes('c'), TTL)
      const claims = await Promise.all(Array.from({ length: 20 }, (_, index) => backends[index % 2]!.store.claim('x')))
      assert.equal(claims.filter(Boolean).length, 1)
      assert.equal((await backends[0]!.store.read('x'))!.claimed, true)
    })

    it('lets nobody claim, write or fill a replay that is not there', async () => {
      const { store } = await backend()
      assert.equal(await store.claim('ghost'), false)
      assert.equal(await store.write('ghost', bytes('r')), false)
      await store.put('ghost', 'report.pdf', bytes('x'))
      assert.equal(await store.read('ghost'), null)
      assert.equal(await store.get('ghost', 'report.pdf'), null)
    })

    it('forgets a replay with all that belongs to it when its time is over', async () => {
      const { store } = await backend()
      await store.create('short', bytes('r'), bytes('c'), 1)
      await store.put('short', 'report.pdf', bytes('x'))
      assert.notEqual(await store.read('short'), null)
      await until(async () => await store.read('short') === null)
      assert.equal(await store.get('short', 'report.pdf'), null)
      assert.equal(await store.write('short', bytes('r')), false)
    })

    it('shows a lease for as long as it was given', async () => {
      const { store } = await backend()
      await store.create('leased', bytes('r'), bytes('c'), TTL)
      await store.lease('leased', 60_000)
      assert.equal((await store.read('leased'))!.leased, true)
      await store.lease('leased', 1)
      await until(async () => (await store.read('leased'))!.leased === false)
    })

    it('removes a replay whole', async () => {
      const { store } = await backend()
      await store.create('gone', bytes('r'), bytes('c'), TTL)
      await store.lease('gone', 60_000)
      await store.remove('gone')
      assert.equal(await store.read('gone'), null)
      assert.equal(await store.get('gone', 'capture'), null)
    })

    it('hands each queued id to one of two consumers, once, and an id added twice too', async () => {
      const name = unique()
      const web = await backend({ name })
      const worker = await backend({ name, role: 'worker' })
      const handled: string[] = []
      const ids = Array.from({ length: 20 }, (_, index) => `id${index}`)
      const consumers = await Promise.all([1, 2].map(() => worker.consume(async id => { handled.push(id) }, { concurrency: 2, onError: fail })))
      for (const id of [...ids, ...ids]) await web.enqueue(id)
      await until(() => handled.length >= ids.length)
      for (const consumer of consumers) await consumer.close()
      assert.deepEqual(handled.toSorted(), ids.toSorted())
    })

    it('does not run an id again whose handler failed', async () => {
      const name = unique()
      const worker = await backend({ name, role: 'worker' })
      const handled: string[] = []
      const consumer = await worker.consume(async id => {
        handled.push(id)
        throw new Error('no')
      }, { concurrency: 1, onError: () => {} })
      await worker.enqueue('bad')
      await worker.enqueue('next')
      await until(() => handled.includes('next'))
      await consumer.close()
      assert.deepEqual(handled, ['bad', 'next'])
    })

    it('carries a captured request from submit to the worker, and what became of it back', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      const request = sampleRequest()
      const submitted = await web.submit(request)
      assert.equal(submitted.state, 'queued')
      assert.deepEqual(await web.find(submitted.id), submitted)

      let received: CapturedRequest | undefined
      const consumer = await worker.consume(async task => {
        received = task.request
        await task.claim()
        await task.attach('report.pdf', bytes('the report'))
        await task.update({ state: 'done', statusCode: 201 })
      }, { onError: fail })
      await until(async () => (await web.find(submitted.id))!.state === 'done')
      await consumer.close()
      assert.deepEqual({ ...received, body: Buffer.from(received!.body) }, request)
      const { startedAt, ...replay } = (await web.find(submitted.id))!
      assert.equal(typeof startedAt, 'number')
      assert.deepEqual(replay, { ...submitted, state: 'done', ran: true, statusCode: 201, artefacts: ['report.pdf'] })
      assert.deepEqual(await web.artefact(submitted.id, 'report.pdf'), bytes('the report'))
    })

    it('refuses a second claim of the same replay', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      let second: unknown
      const consumer = await worker.consume(async task => {
        await task.claim()
        second = await task.claim().catch(error => error)
      }, { onError: fail })
      await web.submit(sampleRequest())
      await until(() => second !== undefined)
      await consumer.close()
      assert.equal((second as ReplayError).code, 'GEORDI_REPLAY_CLAIMED')
    })

    it('shows nothing of the request in clear text', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const { id } = await web.submit(sampleRequest())
      const { store } = await backend({ name })
      const stored = Buffer.concat([(await store.read(id))!.record, (await store.get(id, 'capture'))!]).toString('latin1')
      for (const word of ['captain', 'session=', 'POST', 'picard', 'body']) assert.ok(!stored.includes(word), word)
    })

    it('refuses what was sealed with another secret, without running it, and tells the web process', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker', 'another secret of 32 characters!!')
      const errors: Error[] = []
      const tasks: ReplayTask[] = []
      const consumer = await worker.consume(async task => { tasks.push(task) }, { onError: error => errors.push(error) })
      const { id } = await web.submit(sampleRequest())
      await until(() => errors.length > 0)
      await consumer.close()
      assert.equal((errors[0] as ReplayError).code, 'GEORDI_SEAL_BROKEN')
      assert.equal(tasks.length, 0)
      await assert.rejects(web.find(id), { code: 'GEORDI_SEAL_BROKEN' })
    })

    it('opens what was sealed with a secret that is being rotated out', async () => {
      const name = unique()
      const { id } = await (await replaysOf(name, 'web')).submit(sampleRequest())
      const rotated = await replaysOf(name, 'web', ['the new secret, 32 characters long', SECRET])
      assert.equal((await rotated.find(id))!.url, '/captain?log=1')
    })

    it('calls a replay lost whose worker gives no sign of life', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      const { store } = await backend({ name })
      const taken: ReplayTask[] = []
      const consumer = await worker.consume(async task => {
        await task.update({ state: 'starting' })
        taken.push(task)
      }, { onError: fail })
      const { id } = await web.submit(sampleRequest())
      await until(() => taken.length === 1)
      await consumer.close()
      assert.equal((await web.find(id))!.state, 'starting')

      await store.lease(id, 1)
      await until(async () => (await web.find(id))!.state === 'lost')
      assert.equal((await web.find(id))!.ran, false)

      assert.equal(await store.claim(id), true)
      const lost = (await web.find(id))!
      assert.equal(lost.ran, true)
      assert.match(lost.error!.message, /unknown; it is not run again/)
    })

    it('runs nothing of what it said it could not queue, though the server comes to it later', async () => {
      const name = unique()
      const proxy = keep(await stallingProxy(server.url))
      const web = keep(await Replays.open({ url: proxy.url, name, secret: SECRET, role: 'web' }))
      const first = await web.submit(sampleRequest())
      proxy.stall()
      await assert.rejects(web.submit(sampleRequest()), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
      proxy.release()
      let last: Replay | undefined
      await until(async () => { last = await web.submit(sampleRequest()).catch(() => undefined); return last !== undefined })
      const claimed: string[] = []
      const worker = await replaysOf(name, 'worker')
      const consumer = await worker.consume(async task => {
        await task.claim()
        claimed.push(task.id)
      }, { onError: () => {} })
      await until(() => claimed.includes(last!.id))
      await consumer.close()
      assert.deepEqual(claimed, [first.id, last!.id])
    })

    it('rejects with GEORDI_QUEUE_UNAVAILABLE when nothing listens', async () => {
      const url = new URL(server.url)
      url.port = '1'
      const web = keep(await Replays.open({ url: url.href, name: unique(), secret: SECRET, role: 'web' }))
      await assert.rejects(web.submit(sampleRequest()), { name: 'ReplayError', code: 'GEORDI_QUEUE_UNAVAILABLE' })
      await assert.rejects(web.find('A'.repeat(22)), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
    })
  })

  describe(`${kind} that comes back`, { skip }, () => {
    it('serves web and worker again after a restart, with nothing lost', async t => {
      const folder = await mkdtemp(join(tmpdir(), 'geordi-conformance-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const first = await startLocalServer({ kind, folder })
      t.after(() => first.stop())
      const { url } = first
      const name = unique()
      const web = await Replays.open({ url, name, secret: SECRET, role: 'web' })
      const worker = await Replays.open({ url, name, secret: SECRET, role: 'worker' })
      const finished: string[] = []
      const consumer = await worker.consume(async task => {
        await task.claim()
        await task.update({ state: 'done' })
        finished.push(task.id)
      }, { onError: () => {} })
      t.after(async () => {
        await consumer.close()
        await worker.close()
        await web.close()
      })
      const before = await web.submit(sampleRequest())
      await until(() => finished.length === 1)

      await first.stop()
      await assert.rejects(web.submit(sampleRequest()), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
      const idle = await worker.consume(async () => {}, { onError: () => {} })
      await idle.close()
      const second = await startLocalServer({ kind, folder, port: Number(new URL(url).port) })
      t.after(() => second.stop())
      assert.equal(second.url, url, 'the password is kept with the data')

      await until(async () => (await web.find(before.id).catch(() => null))?.state === 'done')
      const after = await web.submit(sampleRequest())
      await until(() => finished.length === 2, 60_000)
      assert.deepEqual(finished, [before.id, after.id])
    })
  })
}

/** Stands in front of a server and, when told, holds back all that is said to it, as a server that hangs. */
async function stallingProxy (url: string) {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let stalled = false
  const proxy = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
    if (stalled) client.unpipe().pause()
    sockets.add(client).add(upstream)
    clients.set(client, upstream)
  })
  const clients = new Map<Socket, Socket>()
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const own = new URL(url)
  own.port = String((proxy.address() as AddressInfo).port)
  return {
    url: own.href,
    stall () {
      stalled = true
      for (const client of clients.keys()) client.unpipe().pause()
    },
    release () {
      stalled = false
      for (const [client, upstream] of clients) if (!client.destroyed) client.pipe(upstream)
    },
    async close () {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => proxy.close(resolve))
    }
  }
}

let count = 0
/** A name of its own for each test: nothing has to be cleaned up between them. */
function unique (): string {
  return `t${process.pid}_${count++}`
}

function bytes (text: string): Buffer {
  return Buffer.from(text)
}

function sampleRequest (): CapturedRequest {
  return {
    method: 'POST',
    url: '/captain?log=1',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'enterprise', 'Cookie', 'session=1701', 'X-Dup', '1', 'x-dup', '2'],
    body: Buffer.from([0, 255, 98, 111, 100, 121]),
    connection: { encrypted: false, remoteAddress: '192.0.2.1', remotePort: 47 },
    capturedAt: 1_795_424_475_623,
    by: 'picard',
    context: { user: 7 }
  }
}

function fail (error: Error): void {
  throw error
}

/** Waits for a condition, not for a time; the limit only ends a test that has failed. */
async function until (condition: () => boolean | Promise<boolean>, limit = 20_000): Promise<void> {
  for (const end = Date.now() + limit; !await condition(); await delay(20)) {
    if (Date.now() > end) assert.fail(`waited ${limit} ms in vain for ${condition}`)
  }
}
