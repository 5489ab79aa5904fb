import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { Replays, type CapturedRequest, type Replay, type ReplayError, type ReplayTask } from '@geordi/replay'
import { Attacker } from './attacker.ts'
import { bytes, fail, sampleRequest, SECRET, served, submitted, unique, until } from './conformance-support.ts'
import { stallingProxy } from './stalling-proxy.ts'

const TERMS = { ttl: 60, startWithin: 60, owner: 'somebody', maxOpen: 100, maxQueued: 100 } as const

/** What every queue server must do: run on Redis and on PostgreSQL, on real ones. */
export function conformance (kind: 'redis' | 'postgres', skip: string | false): void {
  describe(`the queue and the result store on ${kind}`, { skip }, () => {
    const { server, keep, backend, replaysOf, consumed } = served(kind)

    it('works under a name that is a word of SQL', async () => {
      const [web, worker] = [await replaysOf('order', 'web'), await replaysOf('order', 'worker')]
      const { id } = await web.submit(sampleRequest())
      assert.deepEqual((await consumed(worker, ran => ran.length === 1)).ran, [id])
    })

    it('keeps a replay and its artefacts apart from others', async () => {
      const { store } = await backend()
      await store.create('a', bytes('record a'), bytes('capture a'), TERMS)
      await store.create('b', bytes('record b'), bytes('capture b'), TERMS)
      await store.put('a', 'report.pdf', bytes('report a'))
      assert.deepEqual(await store.read('a'), { record: bytes('record a'), claimed: false, leased: false, place: 1 })
      assert.deepEqual(await store.get('a', 'capture'), bytes('capture a'))
      assert.deepEqual(await store.get('a', 'report.pdf'), bytes('report a'))
      assert.equal(await store.get('b', 'report.pdf'), null)
      assert.equal(await store.read('c'), null)
      assert.equal(await store.get('c', 'capture'), null)
    })

    it('keeps every byte of an artefact of several megabytes', async () => {
      const { store } = await backend({ role: 'worker' })
      const large = randomBytes(5_000_000)
      await store.create('large', bytes('record'), bytes('capture'), TERMS)
      await store.put('large', 'profile', large)
      assert.ok(large.equals((await store.get('large', 'profile'))!))
    })

    it('lets a replay be claimed once, whoever asks and however many at once', async () => {
      const name = unique()
      const backends = await Promise.all([backend({ name }), backend({ name })])
      await backends[0]!.store.create('x', bytes('r'), bytes('c'), TERMS)
      assert.deepEqual(await backends[0]!.store.get('x', 'capture'), bytes('c'))
      const claims = await Promise.all(Array.from({ length: 20 }, (_, index) => backends[index % 2]!.store.claim('x')))
      assert.equal(claims.filter(Boolean).length, 1)
      assert.equal((await backends[0]!.store.read('x'))!.claimed, true)
      assert.equal(await backends[0]!.store.get('x', 'capture'), null, 'nothing is left to run')
    })

    it('lets nobody claim, write or fill a replay that is not there', async () => {
      const { store } = await backend()
      assert.equal(await store.claim('ghost'), false)
      assert.equal(await store.write('ghost', bytes('r'), false), false)
      await store.put('ghost', 'report.pdf', bytes('x'))
      assert.equal(await store.read('ghost'), null)
      assert.equal(await store.get('ghost', 'report.pdf'), null)
    })

    it('forgets a replay with all that belongs to it when its time is over', async () => {
      const { store } = await backend()
      await store.create('short', bytes('r'), bytes('c'), { ...TERMS, ttl: 1 })
      await store.put('short', 'report.pdf', bytes('x'))
      assert.notEqual(await store.read('short'), null)
      await until(async () => await store.read('short') === null)
      assert.equal(await store.get('short', 'report.pdf'), null)
      assert.equal(await store.write('short', bytes('r'), false), false)
    })

    it('shows a lease for as long as it was given', async () => {
      const { store } = await backend()
      await store.create('leased', bytes('r'), bytes('c'), TERMS)
      await store.lease('leased', 60_000)
      assert.equal((await store.read('leased'))!.leased, true)
      await store.lease('leased', 1)
      await until(async () => (await store.read('leased'))!.leased === false)
    })

    it('removes a replay whole', async () => {
      const { store } = await backend()
      await store.create('gone', bytes('r'), bytes('c'), TERMS)
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
      assert.deepEqual(await web.find(submitted.id), { ...submitted, place: 1 })

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

    it('ends a queued replay that is cancelled, which never runs, and frees its place', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const [first, second] = [await submitted(web), await submitted(web)]
      const { replay } = (await web.cancel(first.id, 'riker'))!
      assert.deepEqual([replay.state, replay.ran, replay.error], ['failed', false, { code: 'GEORDI_REPLAY_CANCELLED', message: 'The replay was cancelled by riker.' }])
      assert.deepEqual(await web.find(first.id), replay)
      assert.equal((await web.find(second.id))!.place, 1)
      const { store } = await backend({ name })
      assert.equal(await store.get(first.id, 'capture'), null, 'nothing is left to run')
      assert.deepEqual(await consumed(await replaysOf(name, 'worker'), ran => ran.length > 0), { ran: [second.id], refused: [] })
      assert.deepEqual(await web.find(first.id), replay)
      assert.equal(await web.cancel('A'.repeat(22)), null)
      assert.deepEqual(await web.cancel(first.id), { replay }, 'what has ended has ended')
    })

    it('tells the worker of a cancel and of snapshots, each once, while the replay runs', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      const snapshots: number[] = []
      let task: ReplayTask | undefined
      let reason: ReplayError | undefined
      const { id } = await submitted(web)
      const consumer = keep(await worker.consume(async taken => {
        taken.onSnapshot(at => snapshots.push(at))
        await taken.claim()
        task = taken
        await until(() => taken.cancelled.aborted)
        reason = taken.cancelled.reason
        await taken.update({ state: 'failed' })
      }, { onError: fail }))
      await until(() => task !== undefined)
      const { at } = (await web.snapshot(id))!
      await until(() => snapshots.length === 1)
      assert.deepEqual(snapshots, [at])
      await web.cancel(id, 'riker')
      await until(() => reason !== undefined)
      assert.equal(reason!.code, 'GEORDI_REPLAY_CANCELLED')
      await consumer.close()
      assert.deepEqual(snapshots, [at])
      const ended = (await web.find(id))!
      assert.deepEqual([ended.state, ended.ran], ['failed', true])
    })

    it('says to a worker that comes too late to its claim that the replay was cancelled', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      let refusal: ReplayError | undefined
      await submitted(web)
      keep(await worker.consume(async task => {
        await web.cancel(task.id)
        // As one that has not looked yet.
        await task.update({ state: 'starting' })
        refusal = await task.claim().then(() => undefined, error => error)
      }, { onError: () => {} }))
      await until(() => refusal !== undefined)
      assert.equal(refusal!.code, 'GEORDI_REPLAY_CANCELLED')
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

      // Before it could say that it has it.
      const { id: early } = await web.submit(sampleRequest())
      await store.lease(early, 1)
      await until(async () => (await web.find(early))!.state === 'lost')
      assert.equal((await web.find(early))!.ran, false)
    })

    it('calls a replay cancelled whose web process died over that', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const { id } = await web.submit(sampleRequest())
      await (await backend({ name })).store.claim(id)
      const { state, ran, error } = (await web.find(id))!
      assert.deepEqual([state, ran, error!.code], ['failed', false, 'GEORDI_REPLAY_CANCELLED'])
    })

    it('runs nothing of what it said it could not queue, though the server comes to it later', async () => {
      const name = unique()
      const proxy = keep(await stallingProxy(server().url))
      const web = keep(await Replays.open({ url: proxy.url, name, secret: SECRET, role: 'web' }))
      // On a loaded machine the first ones may be too late as well.
      const submitted = async (): Promise<Replay> => {
        for (;;) {
          const replay = await web.submit(sampleRequest()).catch(() => undefined)
          if (replay !== undefined) return replay
        }
      }
      const first = await submitted()
      proxy.stall()
      await assert.rejects(web.submit(sampleRequest()), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
      proxy.release()
      const last = await submitted()
      const claimed: string[] = []
      const worker = await replaysOf(name, 'worker')
      const consumer = await worker.consume(async task => {
        await task.claim()
        claimed.push(task.id)
      }, { onError: () => {} })
      await until(() => claimed.includes(last.id))
      await consumer.close()
      assert.deepEqual(claimed, [first.id, last.id])
    })

    it('runs no request that has waited too long, and says so while nobody takes it and after', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web', SECRET, 1)
      const attacker = keep(await Attacker.on(server(), name))
      const { id, startBefore, queuedAt } = await web.submit(sampleRequest())
      assert.equal(startBefore - queuedAt, 1000)
      const copy = await attacker.copy(id)
      const assertLate = async () => {
        const { state, ran, error } = (await web.find(id))!
        assert.deepEqual([state, ran, error!.code], ['failed', false, 'GEORDI_REPLAY_LATE'])
        assert.match(error!.message, /waited for a worker for longer than 1 second; it was not run/)
      }
      await until(async () => (await web.find(id))!.state !== 'queued')
      await assertLate()

      const late = { ran: [], refused: ['GEORDI_REPLAY_LATE'] }
      const refusal = async () => consumed(await replaysOf(name, 'worker'), (ran, refused) => ran.length + refused.length > 0)
      assert.deepEqual(await refusal(), late)
      await assertLate()
      assert.equal(await attacker.capture(id), null, 'what will not be run is not kept')

      await attacker.putBack(id, copy)
      await attacker.takeBackClaim(id)
      await attacker.requeue(id)
      assert.deepEqual(await refusal(), late, 'nor for who puts everything back')
      await assertLate()
    })

    it('lets a request that a worker has taken in time start as slowly as it may', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web', SECRET, 3)
      const worker = await replaysOf(name, 'worker')
      const states: Array<string | undefined> = []
      const consumer = await worker.consume(async task => {
        await until(() => Date.now() > submitted!.startBefore)
        states.push((await web.find(task.id))?.state)
        await task.claim()
        states.push((await web.find(task.id))?.state)
      }, { onError: fail })
      const submitted = await web.submit(sampleRequest())
      await until(() => states.length === 2)
      await consumer.close()
      assert.deepEqual(states, ['queued', 'running'])
    })

    it('refuses times that are none', async () => {
      for (const wrong of [{ maxQueueTime: 0 }, { maxQueueTime: 1.5 }, { retention: -1 }, { timeout: 0 }]) {
        const [option] = Object.keys(wrong)
        await assert.rejects(Replays.open({ url: server().url, secret: SECRET, role: 'web', ...wrong }), { code: 'GEORDI_OPTION_INVALID', message: new RegExp(`\`(queue\\.)?${option}\``) })
      }
    })

    it('rejects with GEORDI_QUEUE_UNAVAILABLE when nothing listens', async () => {
      const url = new URL(server().url)
      url.port = '1'
      const web = keep(await Replays.open({ url: url.href, name: unique(), secret: SECRET, role: 'web' }))
      await assert.rejects(web.submit(sampleRequest()), { name: 'ReplayError', code: 'GEORDI_QUEUE_UNAVAILABLE' })
      await assert.rejects(web.find('A'.repeat(22)), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
    })
  })
}
