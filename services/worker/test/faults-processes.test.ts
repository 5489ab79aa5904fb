import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { importRecording } from '@geordi/profiler'
import { RAW_PROFILE, REPORT } from '@geordi/replay'
import { onEachServer, Site, sitesEndWithTests } from './faults-support.ts'
import { fixture, isAlive, replayFolders, temporary, until } from './support.ts'

const BOTH = [RAW_PROFILE, REPORT]

onEachServer('an app', server => {
  sitesEndWithTests()

  it('that can\'t be loaded any more: the reason is on the page and in the worker\'s log; loaded again, it is replayed', async () => {
    const site = await Site.open(server())
    const worker = await site.startWorker()
    site.openGate('broken')
    await site.state(await site.flag('/fine?spare'), 'done')
    const id = await site.flag('/fine?broken')
    const { ran, error } = await site.state(id, 'failed')
    assert.deepEqual([ran, error!.code], [false, 'GEORDI_APP_START'])
    assert.match(await site.page(id), /The app ended with exit code 1 before it called listen\(\).*the dilithium is cracked.*The request was not run/)
    await until(() => new RegExp(`GET /fine: The app ended with exit code 1.*replay ${id}$`, 'ms').test(worker.stdout.text), 'it is in the log')
    assert.match(site.said(), /the dilithium is cracked/)
    site.closeGate('broken')
    await site.state(await site.flag('/fine?mended'), 'done')
    assert.deepEqual(site.runs().map(({ url }) => url), ['/fine?spare', '/fine?mended'])
  })

  it('that never closes is ended, and keeps no replay waiting', async () => {
    const site = await Site.open(server())
    await site.startWorker(['--close-timeout', '1000', '--', 'never closes'])
    for (const name of ['first', 'second']) await site.state(await site.flag(`/fine?${name}`), 'done')
    for (const { pid } of site.runs()) await until(async () => !await isAlive(pid), 'it is ended')
    // The worker that would be killed just now could not remove what they leave.
    await until(() => replayFolders().length === 1, 'with its files')
    assert.equal(site.runs().length, 2)
  })

  it('that answers for ever, or never, is told to run for as long as it does; it keeps nobody else waiting', async () => {
    const site = await Site.open(server())
    await site.startWorker(['--concurrency', '3'])
    const hanging = ['/forever', '/silent']
    const ids = await Promise.all(hanging.map(path => site.flag(path)))
    const pids = await Promise.all(hanging.map(path => site.running(path)))
    await site.state(await site.flag('/fine'), 'done')
    for (const [index, id] of ids.entries()) {
      await site.state(id, 'running')
      assert.match(await site.page(id), /Replaying under the profiler.*Running for /)
      process.kill(pids[index]!, 'SIGKILL')
      await site.state(id, 'failed')
      assert.match(await site.page(id), /ended by SIGKILL.*once\. It is not run again/)
    }
    assert.equal(site.runs().length, 3)
  })
})

onEachServer('a replay', server => {
  sitesEndWithTests()

  it('whose client has gone, and whose web process is killed, goes on; the next web process shows it', async () => {
    const site = await Site.open(server())
    await site.startWorker()
    const id = await site.flag('/gate?gate=open')
    await site.running('/gate?gate=open')
    await assert.rejects(site.ask(`/__geordi__/${id}/report.pdf?wait`, '*/*', { signal: AbortSignal.timeout(200) }))
    await site.killWeb()
    await site.startWeb()
    await site.state(id, 'running')
    site.openGate('open')
    await site.state(id, 'done')
    assert.equal((await site.artefact(id, REPORT)).toString('latin1', 0, 5), '%PDF-')
    assert.match(await site.page(id), /The report is ready/)
    assert.equal(site.runs().length, 1)
  })

  it('whose worker is told to stop ends within the grace, or says that it was interrupted; what waits is the next worker\'s', async () => {
    const site = await Site.open(server())
    const patient = await site.startWorker()
    const first = await site.flag('/gate?gate=open')
    await site.running('/gate?gate=open')
    patient.child.kill('SIGTERM')
    await until(() => patient.stdout.text.includes('takes no more replays'), 'it has heard')
    const waiting = await site.flag('/fine')
    site.openGate('open')
    assert.equal(await patient.ended, 0)
    assert.equal((await site.look(first)).state, 'done')
    assert.equal((await site.look(waiting)).state, 'queued')

    const hasty = await site.startWorker(['--grace', '300'])
    await site.state(waiting, 'done')
    const second = await site.flag('/gate?gate=closed')
    const pid = await site.running('/gate?gate=closed')
    hasty.child.kill('SIGTERM')
    assert.equal(await hasty.ended, 0)
    assert.equal(await isAlive(pid), false)
    const { state, error, artefacts, ran } = await site.look(second)
    assert.deepEqual([state, error!.code, ran, artefacts.toSorted()], ['failed', 'GEORDI_REPLAY_INTERRUPTED', true, BOTH])
    assert.equal(importRecording(await site.artefact(second, RAW_PROFILE)).run.ended, 'the replay was interrupted')
    assert.match(await site.page(second), /The replay broke off.*was interrupted: its worker was stopped.*once\. It is not run again/)
  })

  it('whose worker is killed with -9 is lost, and not run again by the next worker', async () => {
    const site = await Site.open(server())
    const worker = await site.startWorker()
    const id = await site.flag('/gate?gate=open')
    const pid = await site.running('/gate?gate=open')
    await worker.kill()
    await until(async () => !await isAlive(pid), 'the replay process ends with its worker')
    const { ran } = await site.lose(id)
    assert.equal(ran, true)
    assert.match(await site.page(id), /The outcome is unknown.*Whether the request did its work is unknown; it is not run again/)
    await site.startWorker()
    await site.deliverAgain(id)
    await site.state(await site.flag('/fine'), 'done')
    assert.deepEqual(site.runs().map(({ url }) => url), ['/gate?gate=open', '/fine'])
    assert.equal((await site.lose(id)).ran, true)
  })

  it('whose worker is killed with -9 between its end and the report is told to have ended', async () => {
    const site = await Site.open(server())
    for (let attempt = 0; ; attempt++) {
      const worker = await site.startWorker()
      const url = `/fine?${attempt}`
      const id = await site.flag(url)
      // It is drawn in a tenth of a second; now and then that is over before the worker is killed.
      const { state } = await site.state(id, 'rendering', 'done')
      await worker.kill()
      if (state === 'done' || (await site.look(id)).state === 'done') continue
      const { ran, statusCode } = await site.lose(id)
      assert.deepEqual([ran, statusCode], [true, 200])
      assert.match(await site.page(id), /The worker died while it drew the report.*The request had ended by then: the app answered 200/)
      assert.equal(site.runs().filter(run => run.url === url).length, 1)
      break
    }
  })

  it('whose report can\'t be drawn, or not in its time, has its raw profile', async () => {
    const ways: ReadonlyArray<{ args?: readonly string[], env?: NodeJS.ProcessEnv, words: string }> = [
      { env: { NODE_OPTIONS: `--require ${fixture('no-layout.cjs')}` }, words: '' },
      { args: ['--report-limit', '1'], words: 'it took longer than 0\\.001 s, the worker\'s --report-limit' }
    ]
    const site = await Site.open(server())
    for (const { args, env, words } of ways) {
      const worker = await site.startWorker(args, env)
      const failed = await site.flag('/fine?fails')
      const { artefacts } = await site.state(failed, 'failed')
      assert.deepEqual(artefacts, [RAW_PROFILE])
      assert.match(await site.page(failed), new RegExp(`The report could not be drawn.*${words}.*The raw profile is there.*once\\. It is not run again`))
      await worker.kill()
    }
    assert.equal(site.runs().length, ways.length)
  })

  it('tells which code ran it, where two workers run different versions of the app', async () => {
    const site = await Site.open(server())
    // The second is deployed without a new version: as most are.
    for (const revision of ['a1b2c3d4e5f6', 'b1b2c3d4e5f6']) {
      const folder = mkdtempSync(join(temporary, 'version-'))
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'enterprise', version: '1.4.0', type: 'module' }))
      writeFileSync(join(folder, 'server.js'), `await import(${JSON.stringify(pathToFileURL(fixture('faulty.js')).href)})`)
      const worker = await site.startWorker([], { SOURCE_VERSION: revision }, join(folder, 'server.js'))
      // Deployed over after it was loaded: what runs is what was loaded.
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'enterprise', version: '2.0.0', type: 'module' }))
      const id = await site.flag(`/fine?${revision}`)
      const { app } = await site.state(id, 'done')
      assert.equal(app, `enterprise 1.4.0 (revision ${revision})`)
      assert.match(await site.page(id), new RegExp(`with the code of enterprise 1\\.4\\.0 \\(revision ${revision}\\) as it was loaded at \\d`))
      await worker.kill()
    }
  })

  it('during which the clock is set back by a day ends as it would, and so do those after it', async () => {
    const clock = join(mkdtempSync(join(temporary, 'clock-')), 'offset')
    const env = { NODE_OPTIONS: `--require ${fixture('clock.cjs')}`, TEST_CLOCK: clock }
    const site = await Site.open(server(), env)
    await site.startWorker()
    const id = await site.flag('/gate?gate=open')
    await site.running('/gate?gate=open')
    writeFileSync(clock, String(-24 * 3_600_000))
    assert.match(await site.page(id), /Running for/)
    site.openGate('open')
    const replay = await site.state(id, 'done')
    assert.ok(replay.finishedAt! < replay.startedAt!, 'or the clock was not set back')
    assert.ok(replay.wallTime! > 0)
    assert.deepEqual(replay.artefacts.toSorted(), BOTH)
    assert.match(await site.page(id), /The app answered 200 after \d/)
    await site.state(await site.flag('/fine'), 'done')
    assert.equal(site.runs().length, 2)
  })
})
