import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { importCpuProfile } from '@geordi/profile'
import { openBackend, RAW_PROFILE, REPORT } from '@geordi/replay'
import { Scene, withQueueServer } from './queue.ts'
import { get, isAlive, replayFolders, until } from './support.ts'

withQueueServer()

describe('a worker', () => {
  it('replays what is queued, each once, in a process of its own, and reports it', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const body = Buffer.from('engage')
    const post = get('/count?name=post', { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Length', '6'] })
    const { id } = await scene.replays.submit(post)
    const other = await scene.replays.submit(get('/count?name=get'))
    const replay = await scene.state(id, 'done')
    assert.equal(replay.statusCode, 200)
    assert.equal(replay.ran, true)
    assert.ok(replay.wallTime! > 30 && replay.wallTime! < 30_000)
    assert.deepEqual(replay.artefacts.toSorted(), [RAW_PROFILE, REPORT])
    assert.equal((await scene.replays.artefact(id, REPORT))!.toString('latin1', 0, 5), '%PDF-')
    const profile = importCpuProfile((await scene.replays.artefact(id, RAW_PROFILE))!)
    assert.ok(profile.frames.some(frame => frame.name === 'starshipWork'))
    assert.equal(profile.run.request!.url, '/count?name=post')
    await scene.state(other.id, 'done')

    const runs = scene.runs()
    assert.deepEqual(runs.map(run => run.name), ['post', 'get'])
    assert.notEqual(runs[0]!.pid, runs[1]!.pid)
    // The spare that waits for the next one is the only process that is left.
    await until(async () => !await isAlive(runs[0]!.pid) && !await isAlive(runs[1]!.pid), 'used processes end')
    await until(() => replayFolders().length === 1, 'their folders are gone')
    await worker.kill()
  })

  it('calls an error of the handler\'s a good profile', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const { id } = await scene.replays.submit(get('/throws'))
    const replay = await scene.state(id, 'done')
    assert.equal(replay.statusCode, 500)
    assert.deepEqual(replay.artefacts.toSorted(), [RAW_PROFILE, REPORT])
    await worker.kill()
  })

  it('says how a process died, and replays the next request in a fresh one', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    for (const [url, message] of [['/exits', /exit code 7(.|\n)*abandon ship/], ['/crashes', /exit code 1(.|\n)*hull breach/]] as const) {
      const { id } = await scene.replays.submit(get(url))
      const replay = await scene.state(id, 'failed')
      assert.equal(replay.error!.code, 'GEORDI_REPLAY_DIED')
      assert.match(replay.error!.message, message)
      assert.equal(replay.ran, true)
    }
    const next = await scene.replays.submit(get('/count?name=next'))
    await scene.state(next.id, 'done')
    await worker.kill()
  })

  it('replaces a spare that dies while it waits', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const pids = () => worker.stderr.told<number>('pid')
    const [first] = pids()
    process.kill(first!, 'SIGKILL')
    await until(() => pids().length === 2, 'another one starts')
    const { id } = await scene.replays.submit(get('/count?name=after'))
    await scene.state(id, 'done')
    assert.deepEqual(scene.runs(), [{ pid: pids()[1], name: 'after' }])
    await worker.kill()
  })

  it('takes a fresh process when its spare is gone at the very moment', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const [first] = worker.stderr.told<number>('pid')
    // Stopped, it neither answers nor ends: the worker takes it for alive, until it dies under its hands.
    process.kill(first!, 'SIGSTOP')
    const { id } = await scene.replays.submit(get('/count?name=once'))
    await scene.state(id, 'starting')
    process.kill(first!, 'SIGKILL')
    await scene.state(id, 'done')
    assert.equal(scene.runs().length, 1)
    await worker.kill()
  })
})

describe('a captured request runs at most once', () => {
  it('with two workers on one queue', async () => {
    const scene = await Scene.open()
    const workers = await Promise.all([scene.worker(), scene.worker()])
    const names = ['a', 'b', 'c', 'd']
    const replays = await Promise.all(names.map(name => scene.replays.submit(get(`/count?name=${name}`))))
    for (const { id } of replays) await scene.state(id, 'done')
    assert.deepEqual(scene.runs().map(run => run.name).toSorted(), names)
    for (const worker of workers) await worker.kill()
  })

  it('when its worker is killed: its process ends, the replay is lost, nobody runs it again', async t => {
    const scene = await Scene.open()
    const killed = await scene.worker()
    const { id } = await scene.replays.submit(get('/gated?name=victim'))
    await until(() => scene.runs().length === 1, 'the handler runs')
    await killed.kill()
    const { pid } = scene.runs()[0]!
    await until(async () => !await isAlive(pid), 'the replay process ends with its worker')
    await until(() => replayFolders().length === 0, 'nothing is left of it')
    scene.openGate()

    const backend = await openBackend({ url: scene.url, name: scene.name, role: 'web' })
    t.after(() => backend.close())
    await backend.store.lease(id, 1)
    const lost = await scene.state(id, 'lost')
    assert.equal(lost.ran, true)
    assert.match(lost.error!.message, /not run again/)

    const second = await scene.worker()
    if (scene.kind === 'redis') {
      // BullMQ gives a stalled job up after minutes. So its copy is dropped and the id queued again, as after a
      // restore from a backup: the claim alone keeps it from running.
      await forget(scene.url, `bull:${scene.name}:${id}`)
      await backend.enqueue(id)
      await until(() => second.stdout.text.includes('started before'), 'the other worker refuses it')
    }
    const after = await scene.replays.submit(get('/count?name=after'))
    await scene.state(after.id, 'done')
    assert.deepEqual(scene.runs().map(run => run.name), ['victim', 'after'])
    await backend.store.lease(id, 1)
    assert.equal((await scene.state(id, 'lost')).ran, true, 'who refused it did not write over what is known')
    await second.kill()
  })

  it('when its replay process is killed', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const { id } = await scene.replays.submit(get('/gated?name=victim'))
    await until(() => scene.runs().length === 1, 'the handler runs')
    process.kill(scene.runs()[0]!.pid, 'SIGKILL')
    const replay = await scene.state(id, 'failed')
    assert.equal(replay.error!.code, 'GEORDI_REPLAY_DIED')
    assert.match(replay.error!.message, /by SIGKILL before the request did/)
    assert.equal(scene.runs().length, 1)
    await worker.kill()
  })
})

/** Deletes a key of Redis's. */
async function forget (url: string, key: string): Promise<void> {
  const { hostname, port, password } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(`${password === '' ? '' : `AUTH ${password}\r\n`}DEL ${key}\r\nQUIT\r\n`)
  let reply = ''
  for await (const chunk of socket.setEncoding('utf8')) reply += chunk
  assert.match(reply, /:1\r\n/, `${key} was there`)
}
