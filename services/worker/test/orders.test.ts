import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { importRecording } from '@geordi/profiler'
import { RAW_PROFILE, REPORT, SNAPSHOT } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { Scene, withQueueServer } from './queue.ts'
import { get, isAlive, until } from './support.ts'

withQueueServer()

/** Both kinds of queue server that there can be. */
const KINDS = ['redis', 'postgres'] as const

for (const kind of KINDS) {
  describe(`on ${kind}, an admin`, () => {
    // What a test starts on it ends with that test, by the file's own clean-up.
    let server: LocalServer | undefined
    before(async () => { server = await startLocalServer({ kind }) })
    after(() => server?.stop())
    const ordered = async (order: () => Promise<unknown>) => until(() => order().then(() => true, error => {
      // On a busy machine the web process's deadline can pass.
      if (error.code !== 'GEORDI_QUEUE_UNAVAILABLE') throw error
      return false
    }), 'the order is given')

    it('looks at a replay in an endless loop, then cancels it, and one that waits behind it', async () => {
      const on = await Scene.open(server)
      const { replays } = on
      const worker = await on.worker()
      const { id } = await on.submit(get('/loops?name=endless'))
      const behind = await on.submit(get('/count?name=behind'))
      await until(() => on.runs().length === 1, 'the handler runs')
      const pid = on.runs()[0]!.pid

      await on.state(id, 'running')
      await ordered(() => replays.snapshot(id, 'riker'))
      await until(async () => (await on.find(id)).snapshotAt !== undefined, 'the snapshot is there')
      assert.equal((await replays.artefact(id, SNAPSHOT))!.toString('latin1', 0, 5), '%PDF-')
      assert.equal((await on.find(id)).state, 'running')
      assert.equal(await isAlive(pid), true)

      await ordered(() => replays.cancel(behind.id, 'riker'))
      await ordered(() => replays.cancel(id, 'riker'))
      const ended = await on.state(id, 'failed')
      assert.deepEqual([ended.error!.code, ended.error!.message, ended.ran], ['GEORDI_REPLAY_CANCELLED', 'The replay was cancelled by riker.', true])
      assert.deepEqual(ended.artefacts.toSorted(), [RAW_PROFILE, REPORT, SNAPSHOT].toSorted())
      const profile = importRecording((await replays.artefact(id, RAW_PROFILE))!)
      assert.ok(profile.frames.some(({ name }) => name === 'starshipWork'))
      assert.equal(profile.run.ended, 'the replay was cancelled by riker')
      await until(async () => !await isAlive(pid), 'its process is gone')

      const next = await on.submit(get('/count?name=next'))
      await on.state(next.id, 'done')
      assert.deepEqual(on.runs().map(({ name }) => name), ['endless', 'next'])
      assert.doesNotMatch(worker.stdout.text, /GEORDI_REPLAY_CLAIMED/)
    })
  })
}

describe('a replay', () => {
  it('over the limit of its worker is ended, and says so', async () => {
    const scene = await Scene.open()
    await scene.worker(['--limit', '700'])
    const { id } = await scene.submit(get('/loops?name=long'))
    const { error, artefacts, ran } = await scene.state(id, 'failed')
    assert.equal(error!.code, 'GEORDI_REPLAY_LIMIT')
    assert.match(error!.message, /took longer than 0\.7 s and was ended/)
    assert.equal(ran, true)
    assert.deepEqual(artefacts.toSorted(), [RAW_PROFILE, REPORT])
    const short = await scene.submit(get('/count?name=short'))
    await scene.state(short.id, 'done')
  })
})
