import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { keepSwept, sweep } from '../src/sweep.ts'
import { Scene, withQueueServer } from './queue.ts'
import { get, isAlive, replayFolders, temporary, until } from './support.ts'

/** Of a process that has ended. */
const DEAD = spawnSync(process.execPath, ['--version']).pid
const HOUR = 3_600_000
const LONG_AGO = new Date(Date.now() - HOUR)

function folder (name: string, time = new Date()): string {
  const path = join(temporary, name)
  mkdirSync(path)
  writeFileSync(join(path, 'part-1.json'), '{}')
  utimesSync(path, time, time)
  return path
}

describe('what replay processes have left behind', () => {
  withQueueServer()

  it('is swept where worker and process are dead, and nothing else is', async t => {
    // Its id was another process's before.
    const young = spawn('sleep', ['600'])
    t.after(() => young.kill())
    const swept = [folder(`geordi-replay-${DEAD}-abcdefgh`), folder(`geordi-replay-${DEAD}-AB_-efgh`)]
    // Where the start of processes can't be known, each that there is counts.
    if (process.platform === 'linux') swept.push(folder(`geordi-replay-${young.pid}-reused00`, LONG_AGO))
    const kept = [
      folder(`geordi-replay-${process.pid}-abcdefgh`), folder(`geordi-replay-${DEAD}-starting`, new Date(Date.now() + HOUR)), folder(`geordi-replay-${DEAD}-served00`),
      folder(`geordi-replay-${DEAD}`), folder(`geordi-replay-${DEAD}-abcdefgh-mine`)
    ]
    symlinkSync(kept[0]!, join(temporary, `geordi-replay-${DEAD}-linked00`))
    const server = createServer(socket => socket.destroy()).listen(join(kept[2]!, 'keep.sock'))
    t.after(() => server.close())
    await once(server, 'listening')
    await sweep(Date.now() + HOUR)
    const names = replayFolders().map(name => join(temporary, name))
    try {
      for (const path of swept) assert.ok(!names.includes(path), path)
      for (const path of [...kept, join(temporary, `geordi-replay-${DEAD}-linked00`)]) assert.ok(names.includes(path), path)
    } finally {
      // Nothing but these is in there.
      spawnSync('rm', ['-rf', ...names])
    }
  })

  it('is swept again and again', async t => {
    t.after(keepSwept(10))
    for (const name of ['once0000', 'again000']) {
      const left = folder(`geordi-replay-${DEAD}-${name}`, LONG_AGO)
      await until(() => !existsSync(left), 'it is gone')
    }
  })

  it('is swept by the next worker, where both were killed at once', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    await scene.submit(get('/gated?name=one'))
    await until(() => scene.runs().length > 0, 'it runs')
    const { pid } = scene.runs()[0]!
    // The worker can't take what its process leaves, nor does that notice that the worker ends.
    worker.child.kill('SIGSTOP')
    process.kill(-pid, 'SIGKILL')
    await until(async () => !await isAlive(pid), 'the replay process is gone')
    await worker.kill()
    const left = replayFolders()
    assert.equal(left.length, 1)
    utimesSync(join(temporary, left[0]!), LONG_AGO, LONG_AGO)
    await scene.worker()
    await until(() => !replayFolders().includes(left[0]!), 'it is gone')
  })
})
