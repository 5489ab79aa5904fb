import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Profile } from '@geordi/profile'
import { importRecording } from '@geordi/profiler'
import type { ReplayOutcome } from '../src/assemble.ts'
import { PROFILE_FILE } from '../src/child/messages.ts'
import { ReplayChild } from '../src/replay-child.ts'
import { fixture, get, isAlive, options, Output, replayFolders, startChild, temporary, until, type AppOptions } from './support.ts'

/** More than are written in a test. */
const PARTS = 50

/** A replay of a request that hangs, as far as that. */
async function hanging (t: TestContext, url: string, changes: AppOptions = {}, before = () => {}) {
  const output = new Output()
  const child = await ReplayChild.start(options(fixture('hanging.js'), { ...changes, output }))
  t.after(async () => {
    child.kill()
    await child.ended
  })
  await child.prepare(get(url))
  before()
  const replay = child.replay(get(url))
  replay.catch(() => {})
  await until(() => output.told('hangs').length > 0, 'it hangs')
  return { child, replay, output }
}

const [folder] = [() => join(temporary, replayFolders()[0]!)]
/** A folder in a file's place: it can't be written, as on a disk that is full. */
const inPlaceOf = (name: string) => join(folder(), `${name}.partial`)
const isKept = () => existsSync(join(folder(), 'records.json'))

function profileOf (outcome: ReplayOutcome | undefined): Profile {
  assert.ok(outcome, 'something was recorded')
  return importRecording(outcome.profile)
}

function has (profile: Profile, name: string): boolean {
  return profile.frames.some(frame => frame.name.includes(name))
}

function assertHas (profile: Profile, name: string): void {
  assert.ok(has(profile, name), `${name} in ${profile.frames.map(frame => frame.name).join(', ')}`)
}

/** What each is seen at: a regular expression's first execution is its caller's. */
const HANGING = [['/loops', 'warpLoop'], ['/matches', 'warpPattern'], ['/waits', '(wait) timer'], ['/waits', 'waitsLong']] as const

describe('a replay that hangs', () => {
  for (const [url, name] of HANGING) {
    it(`can be looked at, again and again, and ended (${url}: ${name})`, async t => {
      const { child, replay } = await hanging(t, url)
      let first = profileOf(await child.snapshot())
      // The very first look may come before the first sample of it.
      while (!has(first, name)) first = profileOf(await child.snapshot())
      const second = profileOf(await child.snapshot())
      for (const profile of [first, second]) {
        assertHas(profile, name)
        assert.equal(profile.run.ended, 'it was still running when this was recorded')
        assert.equal(profile.run.request!.url, url)
      }
      assert.ok(second.run.wallTime! > first.run.wallTime!)
      assert.ok(child.alive)

      await child.interrupt(new Error('Somebody has had enough. More words.'))
      await assert.rejects(replay, { message: 'Somebody has had enough. More words.' })
      const partial = profileOf(child.partial)
      assertHas(partial, name)
      assert.equal(partial.run.ended, 'somebody has had enough')
      assert.ok(partial.run.wallTime! > second.run.wallTime!)
      assert.deepEqual(replayFolders(), [])
    })
  }

  it('in a call that can\'t be interrupted shows what was recorded before, and ends all the same', async t => {
    const { child, replay } = await hanging(t, '/blocks')
    const snapshot = profileOf(await child.snapshot())
    assertHas(snapshot, 'beforeBlocking')
    assert.match(snapshot.run.ended!, /^it was still running; this is what was recorded last \(its thread is in a call that can't be interrupted/)
    await child.interrupt(new Error('Somebody has had enough.'))
    await assert.rejects(replay, { message: 'Somebody has had enough.' })
    assertHas(profileOf(child.partial), 'beforeBlocking')
  })

  it('and is killed by somebody else leaves what was recorded until shortly before', async t => {
    const { child, replay } = await hanging(t, '/loops')
    await until(isKept, 'a part is kept')
    const { pid } = profileOf(await child.snapshot()).run.process!
    process.kill(pid, 'SIGKILL')
    await assert.rejects(replay, { code: 'GEORDI_REPLAY_DIED', message: /by SIGKILL before the request did\. It was not the worker that killed it/ })
    const partial = profileOf(child.partial)
    assertHas(partial, 'warpLoop')
    assert.equal(partial.run.ended, 'the replay process ended by SIGKILL before the request did')
    assert.equal(await isAlive(pid), false)
  })

  it('and eats all memory says so, with what was recorded until shortly before', async t => {
    const { child, replay } = await hanging(t, '/eats', { heapLimit: 100 })
    await assert.rejects(replay, { code: 'GEORDI_OUT_OF_MEMORY', message: /its heap was full \(--heap-limit 100\)/ })
    assertHas(profileOf(child.partial), 'beforeEating')
  })
})

describe('a long replay', () => {
  it('is recorded in parts, which are one profile without a gap', async t => {
    const child = await ReplayChild.start(options(fixture('hanging.js'), { interval: 1000 }))
    t.after(async () => {
      child.kill()
      await child.ended
    })
    await child.prepare(get('/long'))
    const replay = child.replay(get('/long'))
    const { profile: bytes, run } = await replay
    const profile = importRecording(bytes)
    assertHas(profile, 'longWork')
    assert.equal(run.ended, undefined)
    assert.equal(run.response!.statusCode, 200)
    const sum = profile.samples.duration.reduce((total, gap) => total + gap, 0)
    // The last sample comes before the end.
    assert.ok(Math.abs(sum - run.wallTime!) < 0.05 * run.wallTime!, `${sum} of ${run.wallTime}`)
    const longWork = profile.frames.findIndex(frame => frame.name === 'longWork')
    const { frame, parent } = profile.tree
    const within = frame.map((_, node) => { let at = node; while (at > 0 && frame[at] !== longWork) at = parent[at]!; return at > 0 ? 1 : 0 })
    const time = (of: (node: number) => boolean) => profile.samples.node.reduce((total, node, at) => total + (of(node) ? profile.samples.duration[at]! : 0), 0)
    const recording = time(node => profile.frames[frame[node]!]!.name === '(recording)')
    const share = time(node => within[node] === 1) / (sum - recording)
    assert.ok(share > 0.9, `${share} of it is longWork`)
    assert.equal(frame.filter(one => one === longWork).length, 1, 'one node for it, whatever the parts')
  })

  it('whose parts find no room for a while has them all in the end', async t => {
    const { child, replay } = await hanging(t, '/loops', {}, () => { for (let part = 1; part <= PARTS; part++) mkdirSync(inPlaceOf(`part-${part}.json`)) })
    // Each tries to write one.
    for (let attempt = 0; attempt < 3; attempt++) assert.equal(await child.snapshot(), undefined)
    for (let part = 1; part <= PARTS; part++) rmdirSync(inPlaceOf(`part-${part}.json`))
    assertHas(profileOf(await child.snapshot()), 'warpLoop')
    for (let part = 1; part <= 4; part++) assert.ok(existsSync(join(folder(), `part-${part}.json`)), `part ${part}`)
    await child.interrupt(new Error('Enough.'))
    await assert.rejects(replay)
  })

  it('whose recording can\'t be written says so, with what was written until then', async t => {
    const child = await startChild(t, fixture('hanging.js'))
    await child.prepare(get('/long'))
    mkdirSync(inPlaceOf(PROFILE_FILE))
    await assert.rejects(child.replay(get('/long')), { code: 'GEORDI_RECORDING_FAILED', message: /The replay could not be recorded/ })
    const partial = profileOf(child.partial)
    assertHas(partial, 'longWork')
    assert.equal(partial.run.ended, 'its recording could not be written')
  })
})
