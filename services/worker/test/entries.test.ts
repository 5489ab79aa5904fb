import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, mkdir, symlink } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { fixture, get, isAlive, replayIn, stripsTypes, temporary, until, type Replayed } from './support.ts'

/** A handler's own functions, seen by the profiler: the request was replayed in this app, under it. */
function assertReplayed ({ seen, run, output, profile }: Replayed, name: string): void {
  assert.equal(run.response!.statusCode, 200, output.text)
  assert.deepEqual([seen.method, seen.url], ['GET', '/work?q=1'])
  assert.equal(output.told('evaluated').length, 1, 'the entry runs once')
  if (!name.startsWith('typescript')) assert.ok(profile.frames.some(frame => frame.name === 'work'), 'the handler\'s work is in the profile')
}

describe('the app\'s own entry, unchanged', { concurrency: 3 }, () => {
  let holder: Server
  let port: number
  before(async () => {
    // The production process, which holds the port.
    holder = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
    await once(holder, 'listening')
    port = (holder.address() as AddressInfo).port
    process.env['TEST_PORT'] = String(port)
  })
  after(() => {
    delete process.env['TEST_PORT']
    holder.close()
  })

  const ENTRIES = ['esm.js', 'top-level-await.js', 'main-guard.cjs', 'slow-starter.js', 'slow-instance.js', 'plain-http.cjs', 'typescript.ts', 'metrics-first.js', 'with-plugin.js']
  for (const name of ENTRIES) {
    it(`${name} starts as it is, while another process holds its port`, async () => {
      const replayed = await replayIn(fixture(name), get('/work?q=1'), { ...(name === 'with-plugin.js' ? { awaits: 'open' } : {}) })
      assertReplayed(replayed, name)
      assert.ok(replayed.output.told('built').length <= 1, 'one app is made')
      assert.ok(holder.listening)
    })
  }

  it('finds its arguments, its port and GEORDI_REPLAY', async () => {
    const { output } = await replayIn(fixture('esm.js'), get(), { args: ['--config', 'a b', '--'] })
    assert.deepEqual(output.told('argv'), [['--config', 'a b', '--']])
    assert.deepEqual(output.told('address'), [{ address: '127.0.0.1', family: 'IPv4', port }])
    assert.deepEqual(output.told('replay'), ['1'])
  })

  it('is told to close when it has the plugin', async () => {
    const { output } = await replayIn(fixture('with-plugin.js'), get(), { awaits: 'open' })
    assert.equal(output.told('closed').length, 1)
  })
})

describe('what an entry exports', { concurrency: 3 }, () => {
  for (const name of ['plugin-async.js', 'plugin-callback.cjs', 'factory-async.js', 'factory-named.js', 'factory.cjs', 'instance.js', 'instance.cjs', 'typescript.cts']) {
    it(`${name} is started`, async () => {
      assertReplayed(await replayIn(fixture(name), get('/work?q=1')), name)
    })
  }

  it('gives a plugin\'s exported options to Fastify and to the plugin', async () => {
    const { output } = await replayIn(fixture('plugin-async.js'))
    assert.deepEqual(output.told('options'), [[1701, { bodyLimit: 1701 }]])
  })

  it('is started where the file keeps a connection open', async t => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    process.env['TEST_URL'] = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    assertReplayed(await replayIn(fixture('plugin-busy.js'), get('/work?q=1')), 'plugin-busy.js')
  })
})

describe('other ways to start', { concurrency: 3 }, () => {
  it('takes fastify-cli as the entry, and calls the app by its own name', async () => {
    const cli = createRequire(import.meta.url).resolve('fastify-cli/cli.js')
    const replayed = await replayIn(cli, get('/work?q=1'), { args: ['start', '--options', fixture('plugin-async.js')] })
    assertReplayed(replayed, 'fastify-cli')
    assert.doesNotMatch(replayed.run.process!.app ?? '', /fastify-cli/)
    assert.doesNotMatch(replayed.run.process!.root!, /node_modules/)
  })

  // What the runtime can't do has a test of its own, in start-errors.test.ts: no test here depends on what is installed.
  if (stripsTypes) {
    it('runs TypeScript without a loader where the runtime strips types', async () => {
      const folder = join(temporary, 'stripping')
      await mkdir(folder)
      await copyFile(fixture('typescript.ts'), join(folder, 'app.ts'))
      await copyFile(fixture('package.json'), join(folder, 'package.json'))
      assertReplayed(await replayIn(join(folder, 'app.ts'), get('/work?q=1')), 'typescript.ts')
    })
  }

  it('follows a symbolic link to the entry, as node does', async () => {
    const link = join(temporary, 'linked.js')
    await symlink(fixture('esm.js'), link)
    const replayed = await replayIn(link, get('/work?q=1'))
    assertReplayed(replayed, 'esm.js')
    assert.match(replayed.run.process!.app!, /^fixture-apps 1\.2\.3\b/)
  })

  it('leaves an app\'s own use of the IPC channel alone', async () => {
    const { output, run } = await replayIn(fixture('channel.cjs'))
    assert.equal(run.response!.statusCode, 200)
    assert.deepEqual(output.told('message'), [])
  })

  it('keeps out of the processes and threads that the app starts, and ends them with it', async () => {
    const { output, run } = await replayIn(fixture('helpers.cjs'), get(), { awaits: 'process' })
    assert.equal(run.response!.statusCode, 200)
    const [{ execArgv, pid, ...helper }] = output.told<{ pid: number, execArgv: string[] }>('process') as [{ pid: number, execArgv: string[] }]
    assert.deepEqual(helper, { variables: ['GEORDI_REPLAY'], replayed: false, listen: false })
    assert.equal(execArgv.some(option => option.includes('preload') || option.includes('regexp')), false)
    const [thread] = output.told<{ replayed: boolean, listen: boolean, variables: string[] }>('thread')
    assert.deepEqual([thread!.replayed, thread!.listen, thread!.variables], [false, false, ['GEORDI_REPLAY']])
    await until(async () => !await isAlive(pid), 'the forked process ends')
  })
})
