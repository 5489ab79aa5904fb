import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { importCpuProfile } from '@geordi/profile'
import { openBackend, RAW_PROFILE, REPORT } from '@geordi/replay'
import { startLocalServer } from '@geordi/replay/local'
import { Scene, withQueueServer } from './queue.ts'
import { get, isAlive, replayFolders, temporary, until } from './support.ts'

withQueueServer()

describe('a worker', () => {
  it('replays what is queued, each once, in a process of its own, and reports it', async () => {
    const scene = await Scene.open()
    await scene.worker()
    const body = Buffer.from('engage')
    const post = get('/count?name=post', { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Length', '6'] })
    const { id } = await scene.submit(post)
    const other = await scene.submit(get('/count?name=get'))
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
    const failed = await scene.submit(get('/throws'))
    const { statusCode, artefacts } = await scene.state(failed.id, 'done')
    assert.equal(statusCode, 500, 'an error of the handler\'s is a good profile')
    assert.deepEqual(artefacts.toSorted(), [RAW_PROFILE, REPORT])

    const runs = scene.runs()
    assert.deepEqual(runs.map(run => run.name), ['post', 'get'])
    assert.notEqual(runs[0]!.pid, runs[1]!.pid)
    // The spare that waits for the next one is the only process that is left.
    await until(async () => !await isAlive(runs[0]!.pid) && !await isAlive(runs[1]!.pid), 'used processes end')
    await until(() => replayFolders().length === 1, 'their folders are gone')
  })

  it('says how a process died, shows what was recorded until then, and replays the next request in a fresh one', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    for (const [url, ended, last] of [['/exits', 'exit code 7', 'abandon ship'], ['/crashes', 'exit code 1', 'hull breach']] as const) {
      const { id } = await scene.submit(get(url))
      const { error, ran, artefacts, wallTime } = await scene.state(id, 'failed')
      assert.equal(error!.code, 'GEORDI_REPLAY_DIED')
      assert.match(error!.message, new RegExp(`${ended} before the request did(.|\\n)*${last}`))
      assert.equal(ran, true)
      assert.ok(wallTime! > 30)
      assert.deepEqual(artefacts.toSorted(), [RAW_PROFILE, REPORT])
      assert.equal((await scene.replays.artefact(id, REPORT))!.toString('latin1', 0, 5), '%PDF-')
      const profile = importCpuProfile((await scene.replays.artefact(id, RAW_PROFILE))!)
      assert.ok(profile.frames.some(frame => frame.name === 'starshipWork'))
      assert.equal(profile.run.ended, `the process exited with ${ended.replace('exit ', '')}`)
      await until(() => new RegExp(`${ended} before the request did\\., replay ${id}$`, 'm').test(worker.stdout.text), 'it is in the log')
      const said = worker.stdout.text + worker.stderr.text
      assert.equal(said.split(last === 'hull breach' ? 'Error: hull breach' : last).length, 2, 'an operator reads its last words once')
    }
    const next = await scene.submit(get('/count?name=next'))
    await scene.state(next.id, 'done')
  })

  it('shows what an app said last without its request\'s credentials', async () => {
    const scene = await Scene.open()
    await scene.worker()
    const { id } = await scene.submit(get('/tells?token=sesame%20open&a=1', { shownUrl: '/tells?token=***&a=1', rawHeaders: ['Host', 'x', 'Cookie', 'sid=tribble'] }))
    const { error } = await scene.state(id, 'failed')
    assert.match(error!.message, /\/tells\?token=\*\*\*&a=1 \*\*\* \*\*\*/)
  })

  it('replaces a spare that dies while it waits', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const pids = () => worker.stderr.told<number>('pid')
    process.kill(pids()[0]!, 'SIGKILL')
    await until(() => pids().length === 2, 'another one starts')
    const { id } = await scene.submit(get('/count?name=after'))
    await scene.state(id, 'done')
    assert.deepEqual(scene.runs(), [{ pid: pids()[1], name: 'after' }])
  })

  it('takes a fresh process when its spare is gone at the very moment', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    const [first] = worker.stderr.told<number>('pid')
    // Stopped, it neither answers nor ends: the worker takes it for alive, until it dies under its hands.
    process.kill(first!, 'SIGSTOP')
    const { id } = await scene.submit(get('/count?name=once'))
    await scene.state(id, 'starting')
    process.kill(first!, 'SIGKILL')
    await scene.state(id, 'done')
    assert.equal(scene.runs().length, 1)
  })
})

describe('a worker whose queue server goes away', () => {
  it('says so once, and when it is back, and goes on', async t => {
    const folder = mkdtempSync(join(temporary, 'server-'))
    chmodSync(folder, 0o711)
    const first = await startLocalServer({ folder })
    t.after(() => first.stop())
    const scene = await Scene.open(first)
    const worker = await scene.worker()
    const lines = (text: string) => worker.stdout.text.split('\n').filter(line => line.includes(text)).length
    await first.stop()
    await until(() => lines('GEORDI_QUEUE_UNAVAILABLE') > 0, 'it is noticed')
    // In its place, who counts the attempts and takes none.
    const port = Number(new URL(first.url).port)
    let attempts = 0
    const refusal = createServer(socket => {
      attempts++
      socket.destroy()
    }).listen(port, '127.0.0.1')
    t.after(() => refusal.close())
    await until(() => attempts > 10, 'it is tried again and again')
    refusal.close()
    const second = await startLocalServer({ folder, port })
    t.after(() => second.stop())
    await until(() => lines('The queue server is back.') > 0, 'its return is noticed')
    const { id } = await scene.submit(get('/count?name=after'))
    await scene.state(id, 'done')
    assert.equal(lines('GEORDI_QUEUE_UNAVAILABLE'), lines('The queue server is back.'), worker.stdout.text)
    assert.ok(lines('GEORDI_QUEUE_UNAVAILABLE') <= 2, worker.stdout.text)
    await worker.kill()
  })
})

describe('a captured request runs at most once', () => {
  it('with two workers on one queue', async () => {
    const scene = await Scene.open()
    await Promise.all([scene.worker(), scene.worker()])
    const names = ['a', 'b', 'c', 'd']
    const replays = await Promise.all(names.map(name => scene.submit(get(`/count?name=${name}`))))
    for (const { id } of replays) await scene.state(id, 'done')
    assert.deepEqual(scene.runs().map(run => run.name).toSorted(), names)
  })

  it('when its worker is killed: its process ends, the replay is lost, nobody runs it again', async t => {
    const scene = await Scene.open()
    const killed = await scene.worker()
    const { id } = await scene.submit(get('/gated?name=victim'))
    await until(() => scene.runs().length === 1, 'the handler runs')
    await killed.kill()
    const { pid } = scene.runs()[0]!
    await until(async () => !await isAlive(pid), 'the replay process ends with its worker')
    await until(() => replayFolders().length === 0, 'nothing is left of it')
    scene.openGate()

    const lost = await scene.lose(id)
    assert.equal(lost.ran, true)
    assert.match(lost.error!.message, /not run again/)

    const second = await scene.worker()
    if (scene.kind === 'redis') {
      // BullMQ gives a stalled job up after minutes. So its copy is dropped and the id queued again, as after a
      // restore from a backup: the claim alone keeps it from running.
      await forget(scene.url, `bull:${scene.name}:${id}`)
      const backend = await openBackend({ url: scene.url, name: scene.name, role: 'worker' })
      t.after(() => backend.close())
      await backend.enqueue(id)
      await until(() => second.stdout.text.includes('started before'), 'the other worker refuses it')
    }
    const after = await scene.submit(get('/count?name=after'))
    await scene.state(after.id, 'done')
    assert.deepEqual(scene.runs().map(run => run.name), ['victim', 'after'])
    assert.equal((await scene.lose(id)).ran, true, 'who refused it did not write over what is known')
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
