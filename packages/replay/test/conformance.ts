import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import { openBackend, ReplayError, Replays, type Backend, type BackendOptions, type CapturedRequest, type Replay, type ReplayTask } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { Attacker, type Copy } from './attacker.ts'
import { bytes, PATIENCE, sampleRequest, SECRET, submitted, undone, unique, until } from './conformance-support.ts'
import { stallingProxy } from './stalling-proxy.ts'

const TERMS = { ttl: 60, startWithin: 60, owner: 'somebody', maxOpen: 100, maxQueued: 100 } as const

/** What every queue server must do: run on Redis and on PostgreSQL, on real ones. */
export function conformance (kind: 'redis' | 'postgres', skip: string | false): void {
  describe(`the queue and the result store on ${kind}`, { skip }, () => {
    let server: LocalServer
    const opened: Array<{ close (): Promise<void> }> = []

    before(async () => { server = await startLocalServer({ kind }) })
    // Not at the end of all: PostgreSQL takes a hundred connections.
    afterEach(() => undone(opened.splice(0).map(one => () => one.close())))
    after(() => server?.stop())

    const keep = <T extends { close (): Promise<void> }> (one: T): T => {
      opened.push(one)
      return one
    }
    const backend = async (options: Partial<BackendOptions> = {}): Promise<Backend> =>
      keep(await openBackend({ url: server.url, name: unique(), role: 'web', timeout: PATIENCE, ...options }))
    const replaysOf = async (name: string, role: 'web' | 'worker', secret: string | string[] = SECRET, maxQueueTime = 3600) =>
      keep(await Replays.open({ url: server.url, name, secret, role, maxQueueTime, timeout: PATIENCE }))
    /** Consumes until a condition holds, and tells what was run and what was refused. */
    const consumed = async (worker: Replays, enough: (ran: string[], refused: ReplayError[]) => boolean) => {
      const ran: string[] = []
      const refused: ReplayError[] = []
      const consumer = await worker.consume(async task => {
        await task.claim()
        ran.push(task.id)
        await task.update({ state: 'done' })
      }, { onError: error => refused.push(error as ReplayError) })
      await until(() => enough(ran, refused))
      await consumer.close()
      return { ran, refused: refused.map(error => error.code) }
    }

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

    it('takes no order from who has not the secret, and says so', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      const { store } = await backend({ name })
      const errors: ReplayError[] = []
      let task: ReplayTask | undefined
      let release = () => {}
      const released = new Promise<void>(resolve => { release = resolve })
      const [{ id }, other] = [await submitted(web), await submitted(web)]
      await web.cancel(other.id)
      keep(await worker.consume(async taken => {
        await taken.claim()
        task = taken
        await released
      }, { onError: error => errors.push(error as ReplayError) }))
      keep({ close: async () => release() })
      await until(() => task !== undefined)
      // Another replay's own.
      await store.put(id, 'order cancel', (await store.get(other.id, 'order cancel'))!)
      await until(() => errors.length > 0 || task!.cancelled.aborted)
      assert.deepEqual([errors[0]?.code, task!.cancelled.aborted], ['GEORDI_SEAL_BROKEN', false])
      assert.ok(errors[0]!.message.includes(id), errors[0]!.message)
      release()
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
      // Its log has one line of those that say the same.
      assert.ok(errors[0]!.message.includes(id), errors[0]!.message)
      assert.equal(tasks.length, 0)
      await assert.rejects(web.find(id), { code: 'GEORDI_SEAL_BROKEN' })
    })

    it('runs nothing that was altered, cut or swapped, tells of each by its id, and shows why', async () => {
      const name = unique()
      const [web, worker] = [await replaysOf(name, 'web'), await replaysOf(name, 'worker')]
      const { id: other } = await submitted(web)
      const attacker = keep(await Attacker.on(server, name))
      const swapped = await attacker.copy(other)
      const altered = (sealed: Buffer) => Buffer.concat([sealed.subarray(0, -1), Buffer.from([sealed.at(-1)! ^ 1])])
      const forgeries: Array<(copy: Copy) => Partial<Copy>> = [
        ({ capture }) => ({ capture: altered(capture) }),
        ({ record }) => ({ record: altered(record) }),
        ({ capture }) => ({ capture: capture.subarray(0, 20) }),
        () => ({ record: Buffer.alloc(0) }),
        () => ({ capture: swapped.capture }),
        () => swapped,
        ({ record }) => ({ capture: record }),
        () => ({ capture: randomBytes(1_000_000) })
      ]
      const forged: string[] = []
      for (const forge of forgeries) {
        const { id } = await submitted(web)
        await attacker.putBack(id, forge(await attacker.copy(id)))
        forged.push(id)
      }
      const errors: ReplayError[] = []
      const ran: string[] = []
      keep(await worker.consume(async task => { ran.push(task.id) }, { onError: error => errors.push(error as ReplayError) }))
      await until(() => ran.length > 0 && errors.length >= forged.length)
      assert.deepEqual(ran, [other])
      for (const id of forged) {
        assert.ok(errors.some(error => error.code === 'GEORDI_SEAL_BROKEN' && error.message.includes(id)), 'it is in the log')
        const { state, ran, error } = (await web.find(id))!
        assert.deepEqual([state, ran, error!.code], ['failed', false, 'GEORDI_SEAL_BROKEN'])
      }
    })

    it('opens what was sealed with a secret that is being rotated out', async () => {
      const name = unique()
      const { id } = await (await replaysOf(name, 'web')).submit(sampleRequest())
      const rotated = await replaysOf(name, 'web', ['the new secret, 32 characters long', SECRET])
      assert.equal((await rotated.find(id))!.url, '/captain?log=1')
    })

    it('answers a web process that has only the secret which is being rotated out', async () => {
      const name = unique()
      const [web, worker] = [await replaysOf(name, 'web'), await replaysOf(name, 'worker', ['the new secret, 32 characters long', SECRET])]
      const { id } = await web.submit(sampleRequest())
      keep(await worker.consume(async task => {
        await task.claim()
        await task.attach('report.pdf', bytes('%PDF-'))
        await task.update({ state: 'done' })
      }, { onError: fail }))
      await until(async () => (await web.find(id))!.state === 'done')
      assert.deepEqual(await web.artefact(id, 'report.pdf'), bytes('%PDF-'))
    })

    it('runs no job that is none of its own, whatever it is like, and goes on', async () => {
      const name = unique()
      const [web, worker] = [await replaysOf(name, 'web'), await replaysOf(name, 'worker')]
      await submitted(web)
      const attacker = keep(await Attacker.on(server, name))
      const forged = ['', '0', '../../etc/passwd', 'two\nlines', 'x'.repeat(100_000), '__proto__', 'A'.repeat(22)]
      for (const id of forged) await attacker.forgeJob(id)
      const last = await submitted(web)
      const errors: Error[] = []
      const ran: string[] = []
      keep(await worker.consume(async task => { ran.push(task.id) }, { onError: error => errors.push(error) }))
      await until(() => ran.includes(last.id) && errors.length >= forged.length)
      assert.equal(ran.length, 2)
      for (const { message } of errors) assert.ok(message.length < 300, 'a line of the log is as long as it should be')
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
      const proxy = keep(await stallingProxy(server.url))
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

    it('runs a request once, whatever who can write the server takes back or puts back', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const attacker = keep(await Attacker.on(server, name))
      const { id } = await web.submit(sampleRequest())
      const copy = await attacker.copy(id)
      assert.deepEqual(await consumed(await replaysOf(name, 'worker'), ran => ran.length > 0), { ran: [id], refused: [] })

      const refusedBy = async (worker: Replays) => {
        await attacker.requeue(id)
        return consumed(worker, (ran, refused) => ran.length + refused.length > 0)
      }
      const refused = { ran: [], refused: ['GEORDI_REPLAY_CLAIMED'] }
      await attacker.takeBackClaim(id)
      assert.deepEqual(await refusedBy(await replaysOf(name, 'worker')), refused, 'the sealed record says that it ran')
      assert.equal((await web.find(id))!.state, 'done')

      const ran = (await attacker.record(id))!
      await attacker.putBack(id, { record: copy.record })
      assert.equal((await web.find(id))!.state, 'queued', 'or this shows nothing')
      assert.deepEqual(await refusedBy(await replaysOf(name, 'worker')), refused, 'the request is gone')

      await attacker.putBack(id, { record: ran, capture: copy.capture })
      assert.deepEqual(await refusedBy(await replaysOf(name, 'worker')), refused, 'also where there is one again')
    })

    it('does not run again what this very worker has run, though everything was put back', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const worker = await replaysOf(name, 'worker')
      const attacker = keep(await Attacker.on(server, name))
      const { id } = await web.submit(sampleRequest())
      const copy = await attacker.copy(id)
      assert.deepEqual((await consumed(worker, ran => ran.length > 0)).ran, [id])
      await attacker.putBack(id, copy)
      await attacker.takeBackClaim(id)
      await attacker.requeue(id)
      const again = await consumed(worker, (ran, refused) => ran.length + refused.length > 0)
      assert.deepEqual(again, { ran: [], refused: ['GEORDI_REPLAY_CLAIMED'] })
    })

    it('runs no request that has waited too long, and says so while nobody takes it and after', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web', SECRET, 1)
      const attacker = keep(await Attacker.on(server, name))
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
        await assert.rejects(Replays.open({ url: server.url, secret: SECRET, role: 'web', ...wrong }), { code: 'GEORDI_OPTION_INVALID', message: new RegExp(`\`(queue\\.)?${option}\``) })
      }
    })

    it('rejects with GEORDI_QUEUE_UNAVAILABLE when nothing listens', async () => {
      const url = new URL(server.url)
      url.port = '1'
      const web = keep(await Replays.open({ url: url.href, name: unique(), secret: SECRET, role: 'web' }))
      await assert.rejects(web.submit(sampleRequest()), { name: 'ReplayError', code: 'GEORDI_QUEUE_UNAVAILABLE' })
      await assert.rejects(web.find('A'.repeat(22)), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
    })
  })
}

function fail (error: Error): void {
  throw error
}
