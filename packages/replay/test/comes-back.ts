import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Replays, type ReplayError } from '@geordi/replay'
import { startLocalServer } from '@geordi/replay/local'
import { PATIENCE, sampleRequest, SECRET, undone, unique, until, type Undo } from './conformance-support.ts'

/** What must hold when a queue server goes away and comes back, on Redis and on PostgreSQL. */
export function comesBack (kind: 'redis' | 'postgres', skip: string | false): void {
  describe(`${kind} that comes back`, { skip }, () => {
    it('serves web and worker again after a restart, with nothing lost', async t => {
      const undo: Undo[] = []
      t.after(() => undone(undo))
      const folder = await mkdtemp(join(tmpdir(), 'geordi-conformance-'))
      undo.push(() => rm(folder, { recursive: true, force: true }))
      const first = await startLocalServer({ kind, folder })
      // Whichever runs: those that were connected are closed before it is stopped.
      let server = first
      undo.push(() => server.stop())
      const { url } = first
      const name = unique()
      const web = await Replays.open({ url, name, secret: SECRET, role: 'web', timeout: PATIENCE })
      const worker = await Replays.open({ url, name, secret: SECRET, role: 'worker' })
      const finished: string[] = []
      const told: string[] = []
      const consumer = await worker.consume(async task => {
        await task.claim()
        await task.update({ state: 'done' })
        finished.push(task.id)
      }, { onError: error => told.push((error as ReplayError).code), onBack: () => told.push('back') })
      undo.push(() => web.close(), () => worker.close(), () => consumer.close())
      const before = await web.submit(sampleRequest())
      await until(() => finished.length === 1)

      await first.stop()
      await until(() => told.includes('GEORDI_QUEUE_UNAVAILABLE'))
      await assert.rejects(web.submit(sampleRequest()), { code: 'GEORDI_QUEUE_UNAVAILABLE' })
      const idle = await worker.consume(async () => {}, { onError: () => {} })
      await idle.close()
      server = await startLocalServer({ kind, folder, port: Number(new URL(url).port) })
      assert.equal(server.url, url, 'the password is kept with the data')

      await until(async () => (await web.find(before.id).catch(() => null))?.state === 'done')
      const after = await web.submit(sampleRequest())
      await until(() => finished.length === 2, 60_000)
      assert.deepEqual(finished, [before.id, after.id])
      await until(() => told.includes('back'))
      assert.deepEqual(new Set(told), new Set(['GEORDI_QUEUE_UNAVAILABLE', 'back']), 'an absence is told as one, and its end')
    })

    it('serves consumers that began while it went away, or when it was away', async t => {
      const undo: Undo[] = []
      t.after(() => undone(undo))
      const folder = await mkdtemp(join(tmpdir(), 'geordi-conformance-'))
      undo.push(() => rm(folder, { recursive: true, force: true }))
      const first = await startLocalServer({ kind, folder })
      // Whichever runs: those that were connected are closed before it is stopped.
      let server = first
      undo.push(() => server.stop())
      const { url } = first
      const scenes: Array<{ web: Replays, finished: string[], told: string[] }> = []
      const begin = async () => {
        const name = unique()
        const [web, worker] = [await Replays.open({ url, name, secret: SECRET, role: 'web', timeout: PATIENCE }), await Replays.open({ url, name, secret: SECRET, role: 'worker' })]
        const [finished, told]: [string[], string[]] = [[], []]
        const consumer = await worker.consume(async task => { finished.push(task.id) }, { onError: error => told.push(error.message) })
        undo.push(() => web.close(), () => worker.close(), () => consumer.close())
        scenes.push({ web, finished, told })
      }
      await begin()
      await delay(50)
      await begin()
      await first.stop()
      await begin()
      await until(() => scenes.every(({ told }) => told.length > 0))
      server = await startLocalServer({ kind, folder, port: Number(new URL(url).port) })
      for (const { web, finished } of scenes) {
        let id = ''
        await until(async () => { id = (await web.submit(sampleRequest()).catch(() => ({ id: '' }))).id; return id !== '' })
        await until(() => finished.includes(id))
      }
    })
  })
}
