import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import type { ReplayError, Replays, ReplayTask } from '@geordi/replay'
import { Attacker, type Copy } from './attacker.ts'
import { bytes, fail, sampleRequest, SECRET, served, submitted, unique, until } from './conformance-support.ts'

/** What must hold whoever can read and write the queue server, on Redis and on PostgreSQL. */
export function trustsNobody (kind: 'redis' | 'postgres', skip: string | false): void {
  describe(`a queue server that others write, on ${kind}`, { skip }, () => {
    const { server, keep, backend, replaysOf, consumed } = served(kind)

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
      const attacker = keep(await Attacker.on(server(), name))
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
      const attacker = keep(await Attacker.on(server(), name))
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

    it('runs a request once, whatever who can write the server takes back or puts back', async () => {
      const name = unique()
      const web = await replaysOf(name, 'web')
      const attacker = keep(await Attacker.on(server(), name))
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
      const attacker = keep(await Attacker.on(server(), name))
      const { id } = await web.submit(sampleRequest())
      const copy = await attacker.copy(id)
      assert.deepEqual((await consumed(worker, ran => ran.length > 0)).ran, [id])
      await attacker.putBack(id, copy)
      await attacker.takeBackClaim(id)
      await attacker.requeue(id)
      const again = await consumed(worker, (ran, refused) => ran.length + refused.length > 0)
      assert.deepEqual(again, { ran: [], refused: ['GEORDI_REPLAY_CLAIMED'] })
    })
  })
}
