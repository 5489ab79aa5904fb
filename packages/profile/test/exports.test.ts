import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Profile as PprofProfile } from 'pprof-format'
import { importCpuProfile, type Profile } from '../src/index.ts'
import { exportCollapsed, exportPprof, exportSpeedscope, type SpeedscopeEvents } from '../src/exports/index.ts'
import { uniqueLabels } from '../src/exports/labels.ts'
import { HOSTILE_FILE, timesByName } from './sample-profiles.ts'
import { temporaryFolder } from './sources-support.ts'

const run = { title: 'what it was' }
const profile: Profile = { ...importCpuProfile(HOSTILE_FILE), run }
const labels = uniqueLabels(profile)
const times = timesByName(profile, (_, frame) => labels[frame] as string)
// Here it has a stack of its own.
times.set('(root)', { self: 5, total: 5 })
const busy = 100 + 250 + 1000 + 333 + 4000 + 70 + 10 + 20 + 30 + 5 + 100

/** Stacks with their values, added up like `timesByName`. */
function sum (stacks: Iterable<readonly [outermostFirst: readonly string[], value: number]>): Map<string, { self: number, total: number }> {
  const sums = new Map<string, { self: number, total: number }>()
  const at = (name: string) => sums.get(name) ?? sums.set(name, { self: 0, total: 0 }).get(name) as { self: number, total: number }
  for (const [stack, value] of stacks) {
    at(stack.at(-1) as string).self += value
    for (const name of new Set(stack)) at(name).total += value
  }
  return sums
}

function sorted<Value> (map: Map<string, Value>): Array<[string, Value]> {
  return Array.from(map).sort(([a], [b]) => a < b ? -1 : 1)
}

test('no two functions have one label', () => {
  assert.equal(new Set(labels).size, profile.frames.length)
  assert.deepEqual(labels.filter(label => label.startsWith('(anonymous)')), ['(anonymous) (srv/app/fib.js:10:2)', '(anonymous) (srv/app/fib.js:10:31)'])
})

describe('collapsed stacks', () => {
  const lines = Array.from(exportCollapsed(profile))

  test('a line a stack, its microseconds at the end; idle time isn\'t there', () => {
    for (const line of lines) assert.match(line, /^[^\n]+ [1-9]\d*\n$/)
    assert.ok(lines.includes('main:a (srv/app/a b.js:1);fib (srv/app/fib.js:3);fib (srv/app/fib.js:3) 1333\n'), lines.join(''))
    assert.ok(!lines.some(line => line.includes('(idle)')))
  })

  test('read back: self and total of every function', () => {
    const read = sum(lines.map(line => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at).split(';'), Number(line.slice(at))]
    }))
    const expected = new Map(Array.from(times, ([name, time]) => [name.replaceAll(';', ':').replaceAll('\0\n', ' '), time]))
    assert.deepEqual(sorted(read), sorted(expected))
  })

  test('a stack of less than half a microsecond has no line', () => {
    const short = { ...profile, samples: { node: Int32Array.of(3), duration: Float64Array.of(0.4) } }
    assert.deepEqual(Array.from(exportCollapsed(short)), [])
  })
})

describe('speedscope', () => {
  const file = exportSpeedscope(profile)
  const { events, endValue } = file.profiles[0] as SpeedscopeEvents

  test('functions are closed in the order in which they were opened, at times that never go back', () => {
    const open: number[] = []
    let before = 0
    for (const { type, frame, at } of events) {
      assert.ok(at >= before && at <= endValue)
      before = at
      if (type === 'O') open.push(frame)
      else assert.equal(open.pop(), frame)
    }
    assert.deepEqual(open, [])
    assert.equal(endValue, busy + 5000)
  })

  test('read back: self and total of every function', () => {
    const stacks: Array<[string[], number]> = []
    const open: string[] = []
    let before = 0
    for (const { type, frame, at } of events) {
      if (at > before && open.length > 0) stacks.push([[...open], at - before])
      before = at
      if (type === 'O') open.push(labels[frame] as string)
      else open.pop()
    }
    // Time of the root itself is a gap, as idle time is.
    const expected = new Map(times)
    expected.delete('(root)')
    assert.deepEqual(sorted(sum(stacks)), sorted(expected))
  })

  test('with too many events, equal stacks are added up', () => {
    const expected = new Map(times)
    expected.delete('(root)')
    const [one] = exportSpeedscope(profile, 10).profiles
    assert.ok(one?.type === 'sampled')
    assert.equal(one.samples.length, one.weights.length)
    assert.deepEqual(sorted(sum(one.samples.map((stack, at) => [stack.map(frame => labels[frame] as string), one.weights[at] as number]))), sorted(expected))
    assert.equal(one.endValue, busy - 5)
    assert.equal(exportSpeedscope(profile, events.length).profiles[0]?.type, 'evented')
  })

  test('frames have their places, from line 1', () => {
    assert.deepEqual(file.shared.frames[4], { name: 'fib', file: 'file:///srv/app/fib.js', line: 3, col: 13 })
    assert.deepEqual(file.shared.frames[1], { name: '(idle)' })
    assert.equal(file.name, 'what it was')
  })
})

describe('pprof', () => {
  test('read back by pprof-format: self and total of every function', () => {
    const read = PprofProfile.decode(gunzipSync(exportPprof(profile)))
    const text = (at: unknown) => read.stringTable.strings[Number(at)] as string
    const nameOf = new Map(read.function.map(({ id, name }) => [Number(id), text(name)]))
    const functionOf = new Map(read.location.map(({ id, line }) => [Number(id), Number(line[0]?.functionId)]))
    const stacks = read.sample.map(({ locationId, value }): [string[], number] =>
      [locationId.map(id => nameOf.get(functionOf.get(Number(id)) as number) as string).reverse(), Number(value[1]) / 1000])
    const expected = new Map(Array.from(times, ([name, time]) => [Buffer.from(name).toString(), time]))
    assert.deepEqual(sorted(sum(stacks)), sorted(expected))
    assert.deepEqual(read.sampleType.map(({ type, unit }) => [text(type), text(unit)]), [['samples', 'count'], ['cpu', 'nanoseconds']])
    assert.equal(read.sample.reduce((sum, { value }) => sum + Number(value[0]), 0), 11)
    assert.equal(Number(read.durationNanos), (busy + 5000) * 1000)
    const fib = read.function.find(({ name }) => text(name).startsWith('fib'))
    assert.deepEqual([text(fib?.systemName), text(fib?.filename), Number(fib?.startLine)], ['fib', '/srv/app/fib.js', 3])
    assert.ok(read.function.some(({ filename }) => text(filename) === '/srv/app/a b.js'))
    assert.equal(text(read.comment[0]), 'what it was')
  })

  const noGo = spawnSync('go', ['version']).error === undefined ? false : 'needs go (golang-go)'
  test('go tool pprof reads it and agrees on every function\'s self and total', { skip: noGo }, t => {
    const file = join(temporaryFolder(t), 'x.pb.gz')
    writeFileSync(file, exportPprof(profile))
    const out = execFileSync('go', ['tool', 'pprof', '-top', '-nodefraction=0', '-unit=us', '-symbolize=none', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    assert.match(out, /what it was/)
    const rows = new Map(out.split('\n').flatMap(line => {
      const [, self, total, name] = /^ *([\d.]+)(?:us)? +\S+ +\S+ +([\d.]+)(?:us)? +\S+ {2}(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, { self: Number(self), total: Number(total) }] as const]
    }))
    for (const [name, time] of times) {
      // pprof's own table doesn't keep a line's end, and takes some punctuation for C++.
      if (!/["\n]/.test(name)) assert.deepEqual(rows.get(name), time, `${name} in\n${out}`)
    }
    assert.match(out, new RegExp(`of ${busy}us total`))
  })
})

test('a profile of nothing is a valid file of each kind', () => {
  const nothing = { ...profile, samples: { node: new Int32Array(0), duration: new Float64Array(0) } }
  assert.deepEqual(Array.from(exportCollapsed(nothing)), [])
  assert.deepEqual((exportSpeedscope(nothing).profiles[0] as SpeedscopeEvents).events, [])
  assert.equal(PprofProfile.decode(gunzipSync(exportPprof(nothing))).sample.length, 0)
})
