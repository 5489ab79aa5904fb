import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UsageError } from '../src/command-line.ts'
import { workerCommand } from '../src/worker-command.ts'
import { geordi, Scene, SECRET, withQueueServer } from './queue.ts'
import { fixture, get, isAlive, replayFolders, until } from './support.ts'

withQueueServer()
const APP = fixture('queued.js')

describe('geordi worker', () => {
  const env = { GEORDI_SECRET: SECRET, GEORDI_QUEUE_URL: 'redis://127.0.0.1:1', REDIS_URL: '' }
  const wrong: Array<[what: string, args: string[], env: NodeJS.ProcessEnv, message: RegExp]> = [
    ['no entry', [], env, /Name one file/],
    ['two entries', [APP, APP], env, /Name one file/],
    ['an entry that is not there', ['/no/such.js'], env, /no file \/no\/such\.js/],
    ['an unknown option', [APP, '--no-such'], env, /--no-such/],
    ['no number', [APP, '--concurrency', 'many'], env, /`concurrency` must be a whole number from 1 to 64/],
    ['an empty number', [APP, '--interval', ''], env, /`interval`/],
    ['a number out of range', [APP, '--close-timeout', '0'], env, /`closeTimeout`/],
    ['no limit at all', [APP, '--limit', '0'], env, /`limit` must be a whole number from 1/],
    ['a heap that is none', [APP, '--heap-limit', '4'], env, /`heapLimit`/],
    ['a short secret', [APP], { ...env, GEORDI_SECRET: 'short' }, /secret/],
    ['another kind of queue', [APP, '--queue', 'http://localhost'], env, /redis:\/\//],
    ['a name that is none', [APP, '--queue-name', 'A B'], env, /queue\.name/]
  ]
  for (const [what, args, variables, message] of wrong) {
    it(`refuses ${what}`, async t => {
      const { env } = process
      t.after(() => { process.env = env })
      process.env = { ...env, ...variables }
      await assert.rejects(workerCommand(args), (error: NodeJS.ErrnoException) => {
        assert.match(error.message, message)
        // What the command line ends with exit code 2 for.
        assert.ok(error instanceof UsageError || error.code === 'GEORDI_OPTION_INVALID', error.code)
        return true
      })
    })
  }

  it('refuses what is no command, and what its command refuses, with exit code 2', async () => {
    for (const [args, message] of [[['engage'], /no command engage/], [['worker', APP, '--no-such'], /--no-such/], [['worker', APP, '--limit', '0'], /`limit`/]] as const) {
      const command = geordi(args, env)
      assert.equal(await command.ended, 2)
      assert.match(command.stderr.text, message)
      assert.match(command.stderr.text, /See: geordi (\w+ )?--help/)
      assert.equal(command.stdout.text, '')
    }
  })

  it('refuses a missing queue or secret', async t => {
    const bare: NodeJS.ProcessEnv = { GEORDI_SECRET: undefined, GEORDI_QUEUE_URL: undefined, REDIS_URL: undefined }
    const { env } = process
    t.after(() => { process.env = env })
    for (const [variables, message] of [[{ ...bare, GEORDI_SECRET: SECRET }, /GEORDI_QUEUE_URL/], [{ ...bare, REDIS_URL: 'redis://x' }, /GEORDI_SECRET/]] as const) {
      process.env = { ...env, ...variables }
      await assert.rejects(workerCommand([APP]), { code: 'GEORDI_OPTION_INVALID', message })
    }
  })

  it('tells its options', async () => {
    for (const args of [['worker', '-h'], []]) {
      const command = geordi(args)
      assert.equal(await command.ended, 0)
      assert.match(command.stdout.text, /geordi worker <entry>/)
      assert.equal(command.stderr.text, '')
    }
  })

  it('ends with exit code 1 and the reason when the app does not start', async () => {
    const scene = await Scene.open()
    const command = geordi(['worker', fixture('cluster.js'), '--queue-name', scene.name, '--start-timeout', '500'], scene.env)
    assert.equal(await command.ended, 1)
    assert.match(command.stderr.text, /did not call listen\(\) within 0\.5 s/)
    assert.doesNotMatch(command.stdout.text, /ready/)
    assert.deepEqual(replayFolders(), [])
  })

  it('waits for a queue server that is away, without saying that it is ready, and ends at a signal', async () => {
    for (const url of ['redis://127.0.0.1:1', 'postgres://127.0.0.1:1/x']) {
      const command = geordi(['worker', APP], { ...env, GEORDI_QUEUE_URL: url })
      await until(() => command.stdout.text.includes('The worker waits for it.'), 'the absence is told')
      command.child.kill('SIGTERM')
      assert.equal(await command.ended, 0)
      assert.doesNotMatch(command.stdout.text, /ready/)
    }
  })

  it('takes the queue from the option before the environment', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker(['--queue', scene.url], { GEORDI_QUEUE_URL: 'redis://127.0.0.1:1' })
    const { id } = await scene.submit(get('/count?name=x'))
    await scene.state(id, 'done')
    assert.match(worker.stdout.text, /^geordi worker ready: .*queued\.js$/m)
    // The state is in the store before the line is in the log.
    await until(() => /^geordi worker: GET \/count: 200 in \d+ ms, replay [\w-]{22}$/m.test(worker.stdout.text), 'it is in the log')
    assert.doesNotMatch(worker.stdout.text, /name=x/, 'a query may hold what does not belong in a log')
  })

  it('opens what was sealed with the secret that is being rotated out', async () => {
    const scene = await Scene.open()
    await scene.worker([], { GEORDI_SECRET: 'the new secret, 32 characters long', GEORDI_OLD_SECRET: SECRET })
    const { id } = await scene.submit(get('/count?name=old'))
    // Which its web process, that has only this secret, can read.
    await scene.state(id, 'done')
    assert.equal(scene.runs().length, 1)
  })

  it('takes an empty variable for one that is not set', async () => {
    const scene = await Scene.open()
    await scene.worker([], { GEORDI_OLD_SECRET: '', GEORDI_QUEUE_URL: '', REDIS_URL: scene.url })
    const { id } = await scene.submit(get('/count?name=empty'))
    await scene.state(id, 'done')
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finishes the running replay after ${signal}, and leaves no process`, async () => {
      const scene = await Scene.open()
      const worker = await scene.worker(['--concurrency', '2'])
      const { id } = await scene.submit(get('/gated?name=last'))
      await until(() => scene.runs().length === 1, 'the handler runs')
      worker.child.kill(signal)
      await until(() => worker.stdout.text.includes('takes no more replays'), 'it has the signal')
      const later = await scene.submit(get('/count?name=later'))
      scene.openGate()
      assert.equal(await worker.ended, 0)
      assert.equal((await scene.find(id)).state, 'done')
      assert.equal((await scene.find(later.id)).state, 'queued')
      for (const pid of worker.stderr.told<number>('pid')) assert.equal(await isAlive(pid), false)
      assert.deepEqual(replayFolders(), [])
    })
  }

  it('does not wait for a spare that still starts', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker([], { TEST_SLOW: '1' })
    const { id } = await scene.submit(get('/count?name=x'))
    await scene.state(id, 'done')
    await until(() => worker.stderr.told('pid').length === 2, 'the next spare starts')
    worker.child.kill('SIGTERM')
    assert.equal(await worker.ended, 0)
    for (const pid of worker.stderr.told<number>('pid')) assert.equal(await isAlive(pid), false)
  })

  it('ends at once at the second signal', async () => {
    const scene = await Scene.open()
    const worker = await scene.worker()
    await scene.submit(get('/gated?name=forever'))
    await until(() => scene.runs().length === 1, 'the handler runs')
    worker.child.kill('SIGINT')
    await until(() => worker.stdout.text.includes('at once at a second signal'), 'it has the first')
    worker.child.kill('SIGINT')
    assert.equal(await worker.ended, 1)
    await until(async () => !await isAlive(scene.runs()[0]!.pid), 'the replay process ends too')
    await until(() => replayFolders().length === 0, 'with its files')
  })
})
