import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { importCpuProfile } from '@geordi/profile'
import { createCpuProfiler, joinCpuProfiles, recordRun, watchCode, withRun, type CpuProfile, type CpuProfileNode, type Engine } from '@geordi/profiler'

const require = createRequire(import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'profiler & test %é#'))
after(() => rmSync(folder, { recursive: true, force: true }))
// A path that has to be escaped in a URL.
const commonjs = join(folder, 'work.cjs')
const module = join(folder, 'work.mjs')
copyFileSync(fileURLToPath(new URL('../../test/fixtures/work.cjs', import.meta.url)), commonjs)
copyFileSync(fileURLToPath(new URL('../../test/fixtures/work.js', import.meta.url)), module)
const { outer } = require(commonjs) as { outer (milliseconds: number): number }
const { moduleOuter } = await import(pathToFileURL(module).href) as { moduleOuter (milliseconds: number): number }

function loads (name: string): boolean {
  try {
    require(name)
    return true
  } catch {
    return false
  }
}

const ENGINES: Engine[] = ['v8-profiler-next', 'node:inspector']
const missing = (engine: Engine) => engine === 'v8-profiler-next' && !loads(engine) && 'v8-profiler-next is not compiled for this Node'

function record (engine: Engine, work: () => unknown, interval = 500): CpuProfile {
  const profiler = createCpuProfiler({ interval, engine })
  profiler.start()
  work()
  return profiler.stop()
}

/** On a busy machine V8's sampler may get no turn while the work runs: then it is done again. */
function recordSeen (engine: Engine, work: () => unknown, ...names: string[]): CpuProfile {
  for (let tries = 20; ; tries--) {
    const profile = record(engine, work)
    if (tries === 1 || names.every(name => profile.nodes.some(({ callFrame }) => callFrame.functionName === name))) return profile
  }
}

const BOTH = ['outer', 'inner', 'moduleOuter', 'moduleInner']

function byName (profile: CpuProfile, name: string): CpuProfileNode {
  const node = profile.nodes.find(node => node.callFrame.functionName === name)
  assert.ok(node, `${name} is in the profile`)
  return node
}

for (const engine of ENGINES) {
  describe(`a profile by ${engine}`, { skip: missing(engine) }, () => {
    it('has functions by URL, lines and columns from 0', () => {
      const profile = recordSeen(engine, () => { outer(40); moduleOuter(40) }, ...BOTH)
      const place = (name: string) => {
        const { url, lineNumber, columnNumber } = byName(profile, name).callFrame
        return { url, lineNumber, columnNumber }
      }
      assert.deepEqual(place('outer'), { url: pathToFileURL(commonjs).href, lineNumber: 2, columnNumber: 15 })
      assert.deepEqual(place('inner'), { url: pathToFileURL(commonjs).href, lineNumber: 8, columnNumber: 31 })
      assert.deepEqual(place('moduleOuter'), { url: pathToFileURL(module).href, lineNumber: 1, columnNumber: 28 })
      assert.deepEqual(place('moduleInner'), { url: pathToFileURL(module).href, lineNumber: 7, columnNumber: 21 })
      assert.deepEqual(place('(root)'), { url: '', lineNumber: -1, columnNumber: -1 })
    })

    it('has callers above callees, samples with times, on the clock of hrtime', () => {
      const before = Number(process.hrtime.bigint() / 1000n)
      const profile = recordSeen(engine, () => outer(40), 'outer', 'inner')
      const end = Number(process.hrtime.bigint() / 1000n)
      const { nodes, samples, timeDeltas, startTime, endTime } = profile
      assert.ok(byName(profile, 'outer').children!.includes(byName(profile, 'inner').id))
      assert.equal(samples.length, timeDeltas.length)
      const ids = new Set(nodes.map(node => node.id))
      assert.ok(samples.every(id => ids.has(id)))
      assert.ok(startTime >= before - 1000 && endTime <= end + 1000 && endTime - startTime >= 40_000)
      for (const { callFrame } of nodes) assert.equal(typeof callFrame.scriptId, 'string')
    })

    it('is what @geordi/profile reads, with what was run', () => {
      const run = { request: { method: 'GET', url: '/' }, profiler: { engine, interval: 500 }, wallTime: 40_000 }
      const start = Number(process.hrtime.bigint() / 1000n)
      const recorded = record(engine, () => { outer(20); moduleOuter(20) })
      const window = { start, end: start + 20_000 }
      const profile = importCpuProfile(Buffer.from(JSON.stringify(withRun(recorded, run, { window }))))
      assert.deepEqual(profile.run, run)
      const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
      const whole = importCpuProfile(Buffer.from(JSON.stringify(withRun(recorded, run))))
      assert.ok(sum(profile.samples.duration) <= 20_001 && sum(whole.samples.duration) > 30_000)
    })

    it('is taken at the interval asked for', () => {
      const density = (interval: number) => {
        const { samples, startTime, endTime } = record(engine, () => outer(100), interval)
        return samples.length / (endTime - startTime)
      }
      // Two hundred times as often; a busy machine takes the profiler's time as well, but not three times in turn.
      const often = Math.max(...[1, 2, 3].map(() => density(500)))
      assert.ok(often > 3 * density(100_000), `${often}`)
    })

    it('can be taken again and again, each apart from the others', () => {
      for (let round = 0; round < 3; round++) {
        assert.ok(byName(recordSeen(engine, () => outer(20), 'outer'), 'outer'))
        assert.throws(() => byName(record(engine, () => moduleOuter(20)), 'outer'))
      }
    })

    it('can be taken in parts, which are one profile when they are joined', () => {
      const profiler = createCpuProfiler({ engine, interval: 500 })
      profiler.start()
      const parts = ['rotate', 'rotate', 'rotate', 'stop'].map(end => {
        // Long enough for samples of each on a busy machine.
        outer(150)
        return profiler[end as 'rotate' | 'stop']()
      })
      const joined = joinCpuProfiles(parts)
      const last = parts.pop()!
      assert.equal(joined.nodes.filter(({ callFrame }) => callFrame.functionName === 'outer').length, 1)
      assert.deepEqual([joined.startTime, joined.endTime], [parts[0]!.startTime, last.endTime])
      assert.equal(joined.timeDeltas.reduce((sum, delta) => sum + delta, 0), last.endTime - parts[0]!.startTime)
      // Each part has its share, and what is between them is the profiler's.
      const { frames, tree, samples } = importCpuProfile(joined)
      const time = (of: (node: number) => boolean) => samples.node.reduce((sum, node, at) => sum + (of(node) ? samples.duration[at]! : 0), 0)
      const isIn = (name: string) => (node: number) => {
        for (let at = node; at >= 0; at = tree.parent[at]!) if (frames[tree.frame[at]!]!.name === name) return true
        return false
      }
      const between = [...parts.slice(1), last].reduce((sum, { startTime }, at) => sum + Math.max(0, startTime - parts[at]!.endTime), 0)
      const recording = time(isIn('(recording)'))
      assert.ok(Math.abs(recording - between) < 1000, `${recording} of ${between}`)
      assert.ok(time(isIn('outer')) >= 4 * 125_000, `${time(isIn('outer'))}`)
    })

    it('goes on at another interval where a part is taken for it', () => {
      const profiler = createCpuProfiler({ engine, interval: 500 })
      assert.throws(() => profiler.rotate(), { code: 'GEORDI_PROFILER_STATE' })
      profiler.start()
      profiler.rotate(100_000)
      assert.equal(profiler.interval, 100_000)
      outer(100)
      const { samples } = profiler.stop()
      assert.ok(samples.length < 50, `${samples.length} samples`)
    })

    it('is refused, not crashed, when it is started or stopped at the wrong time', () => {
      const [one, other] = [createCpuProfiler({ engine }), createCpuProfiler({ engine })]
      const wrong = { name: 'ProfilerError', code: 'GEORDI_PROFILER_STATE' }
      assert.throws(() => one.stop(), wrong)
      one.start()
      assert.throws(() => one.start(), wrong)
      assert.throws(() => other.start(), wrong, 'one recording at a time in a process')
      assert.throws(() => other.stop(), wrong)
      assert.ok(one.stop().nodes.length > 0)
      assert.throws(() => one.stop(), wrong)
      other.start()
      assert.ok(other.stop().nodes.length > 0)
    })
  })
}

describe('both engines', { skip: missing('v8-profiler-next') }, () => {
  it('name the same functions for the same work', () => {
    const ours = (profile: CpuProfile) => profile.nodes.map(({ callFrame }) => callFrame)
      .filter(({ url }) => url.startsWith(pathToFileURL(folder).href))
      .map(({ functionName, url, lineNumber, columnNumber }) => `${functionName} ${url}:${lineNumber}:${columnNumber}`)
    const [addon, inspector] = ENGINES.map(engine => new Set(ours(recordSeen(engine, () => { outer(60); moduleOuter(60) }, ...BOTH))))
    assert.deepEqual([...addon!].toSorted(), [...inspector!].toSorted())
    assert.ok(addon!.size >= 4)
  })

  it('share the process: a recording by one excludes one by the other', () => {
    const [addon, inspector] = ENGINES.map(engine => createCpuProfiler({ engine }))
    addon!.start()
    assert.throws(() => inspector!.start(), { code: 'GEORDI_PROFILER_STATE' })
    addon!.stop()
  })
})

describe('a recorded run', () => {
  it('is looked at less often when it is long, and says so', () => {
    const recorder = recordRun({ interval: 500, waits: false, budget: 10 })
    const intervals: Array<number | undefined> = []
    for (let part = 0; part < 4; part++) {
      recorder.run(() => outer(250))
      recorder.takePart()
      intervals.push(recorder.profiler.widest)
    }
    const recorded = recorder.stop(start => ({ run: { profiler: recorder.profiler }, window: { start, end: start + 1 } }))
    assert.deepEqual(intervals, [undefined, 1000, 1000, 2000])
    assert.deepEqual([recorder.profiler.interval, importCpuProfile(recorded).run.profiler!.widest], [500, 2000])
  })

  for (const flag of ['--no-enable-source-maps', '--enable-source-maps']) {
    it(`tells who interrupts it that the recorder is at work, with ${flag}`, () => {
      const program = fileURLToPath(new URL('../../test/fixtures/interrupted.mjs', import.meta.url))
      const { stdout, stderr } = spawnSync(process.execPath, [flag, program], { encoding: 'utf8', timeout: 60_000 })
      const { asked, own } = JSON.parse(stdout || stderr) as { asked: number, own: number }
      // It is at work for half of the time there, mostly to read stacks.
      assert.ok(asked > 100 && own > 0.4 * asked, `${own} of ${asked}`)
    })
  }
})

describe('createCpuProfiler', () => {
  it('takes the addon where it can be loaded, and node:inspector where not', () => {
    assert.equal(createCpuProfiler().engine, loads('v8-profiler-next') ? 'v8-profiler-next' : 'node:inspector')
  })

  it('says how an engine that was asked for can be had', () => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', `
      import Module from 'node:module'
      const load = Module._load
      Module._load = function (request, ...rest) {
        if (request === 'v8-profiler-next') throw new Error('not compiled')
        return load.call(this, request, ...rest)
      }
      const { createCpuProfiler } = await import(${JSON.stringify(import.meta.resolve('@geordi/profiler'))})
      try {
        createCpuProfiler({ engine: 'v8-profiler-next' })
      } catch ({ code, message }) {
        console.log(JSON.stringify({ code, message, fallback: createCpuProfiler().engine }))
      }`], { encoding: 'utf8' })
    const { code, message, fallback } = JSON.parse(stdout) as Record<string, string>
    assert.equal(code, 'GEORDI_ENGINE_UNAVAILABLE')
    assert.match(message!, /python3, make and g\+\+/)
    assert.equal(fallback, 'node:inspector')
  })

  it('refuses an interval that V8 can\'t keep, and an engine that is none', () => {
    for (const interval of [0, 49, 1_000_001, 1.5, NaN, '1000' as unknown as number]) {
      assert.throws(() => createCpuProfiler({ interval }), { code: 'GEORDI_OPTION_INVALID', message: /`interval`/ })
    }
    assert.throws(() => createCpuProfiler({ engine: 'perf' as Engine }), { code: 'GEORDI_OPTION_INVALID', message: /`engine`/ })
    assert.equal(createCpuProfiler().interval, 1000)
  })
})

describe('watchCode', () => {
  it('has regular expressions named that were compiled before the recording began, at another interval too', { skip: missing('v8-profiler-next') }, () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-regexp-tier-up', '--input-type=module', '-e', `
      import { createCpuProfiler, watchCode } from ${JSON.stringify(import.meta.resolve('@geordi/profiler'))}
      watchCode()
      const exploding = /^(?:jib|jib|j|i|b)+$/
      const validate = () => exploding.test('jib'.repeat(11) + '!')
      validate()
      const profiler = createCpuProfiler()
      profiler.start()
      const parts = [() => profiler.rotate(2000), () => profiler.stop()].map(take => {
        const start = process.cpuUsage().user
        while (process.cpuUsage().user - start < 100_000) validate()
        return take()
      })
      console.log(JSON.stringify(parts))`], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    const parts = JSON.parse(stdout || stderr) as CpuProfile[]
    for (const part of parts) {
      const { hitCount } = byName(part, 'RegExp: ^(?:jib|jib|j|i|b)+$')
      assert.ok(hitCount! > part.samples.length / 2, `${hitCount} of ${part.samples.length} samples`)
    }
  })

  it('comes before a recording, not within one', () => {
    const profiler = createCpuProfiler()
    profiler.start()
    assert.throws(watchCode, { code: 'GEORDI_PROFILER_STATE' })
    profiler.stop()
  })
})
