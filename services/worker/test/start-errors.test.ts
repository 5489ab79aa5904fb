import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inheritedExecArgv, resolveEntry } from '../src/app-entry.ts'
import { ReplayChild } from '../src/replay-child.ts'
import { fixture, isAlive, options, Output, replayFolders, stripsTypes, temporary, until, type AppOptions } from './support.ts'

/** Starts what can't be started; then neither its process nor its folder may be left. */
async function startError (file: string, changes: AppOptions = {}): Promise<{ code: string, message: string, output: Output }> {
  const output = new Output()
  const error = await ReplayChild.start(options(file, { ...changes, output })).then(() => assert.fail('it started'), error => error)
  assert.equal(error.name, 'WorkerError')
  assert.deepEqual(replayFolders(), [], 'its folder is gone')
  for (const pid of output.told<number>('pid')) assert.equal(await isAlive(pid), false, 'its process is gone')
  return { code: error.code, message: error.messageWithOutput, output }
}

/** A file written for one test. */
async function written (name: string, source: string): Promise<string> {
  const file = join(temporary, name)
  await writeFile(file, `console.log('pid: ' + process.pid)\n${source}`)
  return file
}

describe('an app that does not start', () => {
  it('throws: its error is told once, with what it said', async () => {
    for (const name of ['throws.mjs', 'throws.cjs']) {
      const { code, message, output } = await startError(await written(name, 'console.error(\'red alert\'); throw new Error(\'no dilithium\')'))
      assert.equal(code, 'GEORDI_APP_START')
      assert.match(message, /no dilithium/)
      assert.match(message, /red alert/)
      assert.equal(output.told('pid').length, 1, 'it ran once')
    }
  })

  it('throws after an await', async () => {
    const { code, message } = await startError(await written('throws-later.mjs', 'await new Promise(resolve => setTimeout(resolve, 50)); throw new Error(\'no dilithium\')'))
    assert.equal(code, 'GEORDI_APP_START')
    assert.match(message, /no dilithium/)
  })

  it('ends by itself', async () => {
    const { code, message } = await startError(await written('exits.mjs', 'console.log(\'nothing to do\'); process.exit(0)'))
    assert.equal(code, 'GEORDI_APP_START')
    assert.match(message, /exit code 0 before it called listen\(\)/)
    assert.match(message, /nothing to do/)
  })

  it('handles a listen error of its own by ending', async () => {
    const { code, message } = await startError(await written('port.mjs', 'console.error(\'EADDRINUSE: port 80\'); process.exit(1)'))
    assert.equal(code, 'GEORDI_APP_START')
    assert.match(message, /exit code 1 .*\n.*\n(.*\n)*EADDRINUSE/)
  })

  it('exports nothing usable', async () => {
    for (const [name, source] of [['nothing.mjs', 'export const answer = 42'], ['nothing.cjs', 'module.exports = { answer: 42 }'], ['wrong.mjs', 'export default () => 42'], ['empty.cjs', '']] as const) {
      const { code, message } = await startError(await written(name, source))
      assert.equal(code, 'GEORDI_APP_UNKNOWN_KIND', name)
      assert.ok(message.includes(name), message)
    }
  })

  it('hangs, doing nothing, or busy for ever', async () => {
    for (const [name, source] of [['hangs.mjs', 'console.log(\'pid: \' + process.pid); setInterval(() => {}, 1000)'], ['loops.cjs', 'for (;;);']] as const) {
      // Long enough for a busy machine to start it and to read what it says.
      const { code, message } = await startError(await written(name, source), { startTimeout: 4000 })
      assert.equal(code, 'GEORDI_APP_START')
      assert.match(message, /did not call listen\(\) within 4 s\. Raise --start-timeout/)
      assert.match(message, /pid: \d+/)
    }
  })

  it('listens for something else than HTTP', async () => {
    const { code } = await startError(await written('net.mjs', 'import { createServer } from \'node:net\'; createServer(() => {}).listen(0)'), { startTimeout: 1500 })
    assert.equal(code, 'GEORDI_APP_START')
  })

  it('forks a cluster: it is told what to do', async () => {
    const { code, message, output } = await startError(fixture('cluster.js'))
    assert.equal(code, 'GEORDI_APP_START')
    assert.match(message, /cluster\.isPrimary && !process\.env\.GEORDI_REPLAY/)
    const [forked] = output.told<number>('forked')
    await until(async () => !await isAlive(forked!), 'the cluster\'s worker ends too')
  })

  it('is ended while it starts', async () => {
    const output = new Output()
    const stop = new AbortController()
    const starting = ReplayChild.start(options(await written('slow.mjs', 'setInterval(() => {}, 1000)'), { output }), stop.signal)
    await until(() => output.told('pid').length > 0, 'it runs')
    stop.abort()
    await assert.rejects(starting, { code: 'GEORDI_APP_START' })
    assert.equal(await isAlive(output.told<number>('pid')[0]!), false)
    await assert.rejects(ReplayChild.start(options(fixture('esm.js')), AbortSignal.abort()))
    assert.deepEqual(replayFolders(), [])
  })

  it('is an orphan before it runs: it does not run at all', async () => {
    const folder = join(temporary, 'geordi-replay-orphan')
    const preload = new URL('../src/child/preload.js', import.meta.url).href
    const child = spawn(process.execPath, ['--import', preload, await written('orphan.mjs', 'setInterval(() => {}, 1000)')], {
      env: { ...process.env, GEORDI_REPLAY_FOLDER: folder, GEORDI_REPLAY_PARENT: '1' },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let said = ''
    for await (const chunk of child.stdout) said += chunk
    assert.equal(said, '')
    assert.deepEqual(replayFolders(), [])
  })

  it('leaves something behind that holds its output open: nobody waits for it', async t => {
    const source = 'const { spawn } = require(\'node:child_process\'); const left = spawn(\'sleep\', [\'60\'], { stdio: \'inherit\', detached: true }); console.log(\'left: \' + left.pid); process.exit(0)'
    const { output } = await startError(await written('leaves.cjs', source))
    const [left] = output.told<number>('left')
    t.after(() => process.kill(left!, 'SIGKILL'))
    assert.equal(await isAlive(left!), true, 'or this shows nothing')
  })
})

describe('an entry', () => {
  it('that is not there is refused by name', () => {
    assert.throws(() => resolveEntry('/no/such/app.js'), { code: 'GEORDI_OPTION_INVALID', message: /\/no\/such\/app\.js/ })
  })

  if (!stripsTypes) {
    it('in TypeScript needs something that runs it', async () => {
      const folder = join(temporary, 'bare')
      await mkdir(folder)
      await copyFile(fixture('typescript.ts'), join(folder, 'app.ts'))
      assert.throws(() => resolveEntry(join(folder, 'app.ts')), { code: 'GEORDI_OPTION_INVALID', message: /Install tsx in the app/ })
    })
  }

  it('runs with node\'s options of the worker, but for those that are about the worker itself', () => {
    assert.deepEqual(inheritedExecArgv([
      '--max-old-space-size=512', '--inspect=9229', '--import', './otel.mjs', '-e', 'startWorker()', '--test-reporter', 'spec', '--cpu-prof', '--enable-source-maps', '--input-type=module'
    ]), ['--max-old-space-size=512', '--import', './otel.mjs', '--enable-source-maps'])
  })
})
