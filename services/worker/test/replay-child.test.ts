import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat, readdir, mkdir, writeFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { importCpuProfile, type Profile } from '@geordi/profile'
import { createCpuProfiler } from '@geordi/profiler'
import { fixture, get, isAlive, options, Output, replayFolders, replayIn, startChild, temporary, until } from './support.ts'

const hasAddon = createCpuProfiler().engine === 'v8-profiler-next'

describe('a replay has no time limit', () => {
  const request = (url: string) => get(url, { method: 'POST', body: Buffer.from('1'), rawHeaders: ['Host', 'x', 'Content-Length', '1', 'Content-Type', 'text/plain'] })

  it('of the server\'s, whenever it was set', async () => {
    const { run, output } = await replayIn(fixture('timeouts.js'), request('/work'), { awaits: 'limited' })
    assert.deepEqual(run.response, { statusCode: 200, bytes: 6, contentType: 'text/plain; charset=utf-8' })
    assert.deepEqual(output.told('survived'), [{ sent: false }])
  })

  it('of the route\'s', async () => {
    const { run } = await replayIn(fixture('timeouts.js'), request('/route'))
    assert.equal(run.response!.statusCode, 200)
  })

  it('for a request that the handler is slow to read', async () => {
    const body = Buffer.alloc(10_000_000)
    const { run, output } = await replayIn(fixture('timeouts.js'), get('/upload', { method: 'POST', body, rawHeaders: ['Host', 'x', 'Content-Length', String(body.length), 'Content-Type', 'application/octet-stream'] }), { awaits: 'limited' })
    assert.equal(run.response!.statusCode, 200)
    assert.deepEqual(output.told('length'), [body.length])
  })

  it('and an app that has none sees no trace of it', async () => {
    const { output } = await replayIn(fixture('wire.js'), request('/signal'))
    assert.deepEqual(output.told('aborted'), [false])
  })
})

/** Microseconds of samples in which a function was on the stack. */
function total (profile: Profile, name: string): number {
  const { frame, parent } = profile.tree
  const within = Array.from(frame, () => false)
  for (let node = 0; node < frame.length; node++) within[node] = profile.frames[frame[node]!]!.name === name || within[parent[node]!] === true
  return profile.samples.node.reduce((sum, node, index) => sum + (within[node] ? profile.samples.duration[index]! : 0), 0)
}

describe('a replay\'s profile', () => {
  it('covers the request and nothing before or after it', async () => {
    const { profile, run, output } = await replayIn(fixture('phases.js'), get('/measured'))
    const [measured] = output.told<number>('measured')
    assert.equal(output.told('after').length, 1)
    const wall = run.wallTime!
    // The handler measured itself; the rest is Fastify's and the sending's.
    assert.ok(wall >= measured! && wall < measured! * 2, `${wall} µs for ${measured} µs of work`)
    const inHandler = total(profile, 'handlerWork')
    assert.ok(inHandler > measured! / 2 && inHandler <= wall * 1.05, `${inHandler} of ${measured} µs`)
    assert.equal(total(profile, 'bootWork'), 0)
    assert.equal(total(profile, 'lateWork'), 0)
    const recorded = profile.samples.duration.reduce((sum, duration) => sum + duration, 0)
    assert.ok(Math.abs(recorded - wall) < wall / 10, `${recorded} µs of samples for ${wall}`)
  })

  it('names the request as it is to be shown, which is sent as it is', async () => {
    const { run, output } = await replayIn(fixture('phases.js'), get('/measured?token=engage', { shownUrl: '/measured?token=***' }))
    assert.equal(run.request!.url, '/measured?token=***')
    assert.equal(output.told('measured').length, 1)
  })

  it('says what was run, where and how', async () => {
    const { profile, run } = await replayIn(fixture('phases.js'), get('/measured?q=1'), { interval: 700 })
    assert.deepEqual(profile.run, run)
    const { wallTime, process: { pid, hostname, app, ...rest }, profiler, ...said } = run as Required<typeof run>
    assert.ok(wallTime > 0)
    assert.notEqual(pid, process.pid)
    assert.ok(hostname.length > 0)
    assert.match(app!, /^fixture-apps 1\.2\.3\b/)
    assert.deepEqual(rest, { node: process.version, root: fixture('.').replace(/\/\.?$/, ''), workspace: fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '') })
    assert.equal(profiler.interval, 700)
    assert.match(profiler.engine, /^(v8-profiler-next|node:inspector)$/)
    assert.deepEqual(said, {
      request: { method: 'GET', url: '/measured?q=1', capturedAt: 1_795_424_475_623, by: 'picard' },
      response: { statusCode: 200, bytes: 4, contentType: 'text/plain; charset=utf-8' }
    })
  })

  it('is taken at the interval asked for', async () => {
    const density = async (interval: number) => {
      const { profile, run } = await replayIn(fixture('phases.js'), get('/measured'), { interval })
      return profile.samples.node.length / run.wallTime!
    }
    // Two hundred times as often; a busy machine takes the profiler's time as well.
    assert.ok(await density(500) > 3 * await density(100_000))
  })

  it('of the CPU alone has nothing in it of what records waits: the app may not bear that', async () => {
    const { profile } = await replayIn(fixture('esm.js'), get(), { waits: false })
    assert.ok(profile.frames.some(({ url }) => url.includes('/node_modules/fastify/')))
    assert.deepEqual(profile.frames.filter(({ url }) => url.includes('/packages/waits/')), [])
  })

  it('names a regular expression that the app has used while it started', { skip: !hasAddon && 'node:inspector can\'t tell' }, async () => {
    const { profile, output } = await replayIn(fixture('validator.js'), get('/validate'))
    const [validated] = output.told<number>('validated')
    const named = total(profile, 'RegExp: ^(?:jib|jib|j|i|b)+$')
    assert.ok(named > validated! / 2, `${named} of ${validated} µs`)
  })

  it('comes from node:inspector where v8-profiler-next can\'t be loaded', async t => {
    const before = process.env['NODE_OPTIONS']
    process.env['NODE_OPTIONS'] = `${before ?? ''} --require ${fixture('without-addon.cjs')}`
    t.after(() => { if (before === undefined) delete process.env['NODE_OPTIONS']; else process.env['NODE_OPTIONS'] = before })
    const { run, profile } = await replayIn(fixture('phases.js'), get('/measured'))
    assert.equal(run.profiler!.engine, 'node:inspector')
    assert.ok(total(profile, 'handlerWork') > 0)
  })
})

describe('a replay without an end', () => {
  const endings: Array<[how: string, url: string, code: string, ended: string, statusCode?: number]> = [
    ['that exits in its handler', '/exits', 'GEORDI_REPLAY_DIED', 'the process exited with code 7'],
    ['that throws where nobody catches', '/crashes', 'GEORDI_REPLAY_DIED', 'the process exited with code 1'],
    ['that rejects where nobody catches', '/rejects', 'GEORDI_REPLAY_DIED', 'the process exited with code 1'],
    ['that exits in the middle of its answer', '/half', 'GEORDI_REPLAY_DIED', 'the process exited with code 7', 202],
    ['that exits right after its answer', '/answers', 'GEORDI_REPLAY_DIED', 'the process exited with code 7', 200],
    ['that breaks the connection off', '/breaks', 'GEORDI_REPLAY_BROKEN', 'the app broke the connection off']
  ]
  for (const [how, url, code, ended, statusCode] of endings) {
    it(`${how} leaves what was recorded until then`, async t => {
      const child = await startChild(t, fixture('endings.js'))
      await child.prepare(get(url))
      await assert.rejects(child.replay(get(url)), { code, message: url === '/answers' ? /right after its answer/ : /before the request did|without a complete answer/ })
      const { profile, run } = child.partial!
      assert.equal(run.ended, ended)
      assert.equal(run.response?.statusCode, statusCode)
      assert.deepEqual([run.request!.url, run.process!.node], [url, process.version])
      assert.ok(run.wallTime! > 30_000 && run.wallTime! < 30e6)
      const recorded = importCpuProfile(profile)
      assert.deepEqual(recorded.run, run)
      assert.ok(total(recorded, 'handlerWork') > 0)
      await child.close()
      assert.deepEqual(replayFolders(), [])
    })
  }

  it('that is killed before its first part is kept leaves nothing, and says so by having nothing', async t => {
    const child = await startChild(t, fixture('endings.js'))
    await child.prepare(get('/killed'))
    const asked = performance.now()
    await assert.rejects(child.replay(get('/killed')), { code: 'GEORDI_REPLAY_DIED', message: /by SIGKILL/ })
    // A loaded machine may come to that line after the first part, which is made 250 ms after the recording's beginning: then that is there.
    assert.ok(child.partial === undefined || performance.now() - asked > 250, JSON.stringify(child.partial?.run))
    assert.deepEqual(replayFolders(), [])
  })

  it('whose app goes on for ever after it broke the connection off is not waited for', async t => {
    const child = await startChild(t, fixture('endings.js'), { closeTimeout: 300 })
    await child.prepare(get('/loops'))
    await assert.rejects(child.replay(get('/loops')), { code: 'GEORDI_REPLAY_BROKEN' })
    const { profile, run } = child.partial!
    assert.equal(run.ended, 'the app broke the connection off')
    assert.ok(total(importCpuProfile(profile), 'handlerWork') > 0)
  })
})

describe('a replay process', () => {
  it('keeps its files to itself, and leaves none', async t => {
    const child = await startChild(t, fixture('phases.js'))
    const [folder, ...others] = replayFolders()
    assert.deepEqual(others, [])
    assert.equal((await stat(join(temporary, folder!))).mode & 0o777, 0o700)
    await child.prepare(get('/measured'))
    await child.replay(get('/measured'))
    assert.equal((await stat(join(temporary, folder!, 'profile.cpuprofile'))).mode & 0o777, 0o600)
    await child.close()
    assert.deepEqual(replayFolders(), [])
  })

  it('that ends right after its answer has lost nothing', async () => {
    const { profile, run } = await replayIn(fixture('phases.js'), get('/measured'), { args: ['dies after'] })
    assert.equal(run.response!.statusCode, 200)
    assert.ok(total(profile, 'handlerWork') > 0)
  })

  it('gets the time to close, and no more', async t => {
    const output = new Output()
    const child = await startChild(t, fixture('phases.js'), { args: ['never closes'], closeTimeout: 300, output })
    await child.close()
    assert.deepEqual(output.told('closing'), [null])
    assert.equal(await isAlive(output.told<number>('pid')[0]!), false)
    assert.deepEqual(replayFolders(), [])
  })

  it('ends though its app fails to close', async t => {
    const output = new Output()
    const child = await startChild(t, fixture('phases.js'), { args: ['fails to close'], closeTimeout: 2 ** 31 - 1, output })
    await child.close()
    assert.deepEqual(output.told('closing'), [null])
  })

  it('finds room for its socket where the temporary folder\'s name is too long for one', async t => {
    const long = join(temporary, 'x'.repeat(100))
    await mkdir(long)
    process.env['TMPDIR'] = long
    t.after(() => { process.env['TMPDIR'] = temporary })
    const { run } = await replayIn(fixture('phases.js'), get('/measured'))
    assert.equal(run.response!.statusCode, 200)
    assert.deepEqual(await readdir(long), [])
  })

  for (const state of ['waits', 'is busy for ever']) {
    it(`that ${state} ends with its worker, however the worker ends`, async t => {
      const flag = join(temporary, `busy-${state.length}`)
      const script = `
        const { ReplayChild } = await import(${JSON.stringify(new URL('../src/replay-child.js', import.meta.url).href)})
        await ReplayChild.start({ ...${JSON.stringify(options(fixture('phases.js'), { args: ['busy when', flag] }))}, output: process.stdout })
        console.log('started: null')`
      const worker = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      t.after(() => worker.kill('SIGKILL'))
      const output = new Output()
      createInterface(worker.stdout).on('line', line => output.write(`${line}\n`))
      await until(() => output.told('started').length > 0, 'the replay process is up')
      const [pid] = output.told<number>('pid')
      if (state === 'is busy for ever') {
        await writeFile(flag, '')
        await until(() => output.told('busy').length > 0, 'it is busy')
      }
      assert.equal(replayFolders().length, 1)
      worker.kill('SIGKILL')
      await once(worker, 'exit')
      await until(async () => !await isAlive(pid!), 'the replay process is gone')
      assert.deepEqual(replayFolders(), [])
      await rm(flag, { force: true })
    })
  }
})
