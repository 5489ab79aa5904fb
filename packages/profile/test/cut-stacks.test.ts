import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { cutStacks, importCpuProfile } from '../src/index.ts'
import { cpuProfile, frame, type TestNode } from './cpuprofile-builder.ts'
import { temporaryFolder } from './sources-support.ts'

/** So much processor time under a recursion of known depth: below V8's limit, and beyond it. */
const PROGRAM = `
const used = () => process.cpuUsage().user + process.cpuUsage().system
const spin = ms => { const end = used() + ms * 1000; while (used() < end); }
function shallow (depth) { return depth === 0 ? spin(40) : shallow(depth - 1) || 0 }
function deep (depth) { return depth === 0 ? spin(120) : deep(depth - 1) || 0 }
shallow(100)
deep(1000)
`

test('a real recursion beyond 255 frames is found, and nothing else', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'it.cjs'), PROGRAM)
  await promisify(execFile)(process.execPath, ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-name', 'it.cpuprofile', join(folder, 'it.cjs')])
  const profile = importCpuProfile(readFileSync(join(folder, 'it.cpuprofile')))
  const { frames, tree, samples } = profile
  const isDeep = (leaf: number) => {
    for (let node = leaf; node > 0; node = tree.parent[node] as number) if (frames[tree.frame[node] as number]?.name === 'deep') return true
    return false
  }
  let count = 0
  let time = 0
  samples.node.forEach((node, at) => {
    if (!isDeep(node)) return
    count++
    time += samples.duration[at] as number
  })
  const cut = cutStacks(profile)
  assert.ok(count > 20, `${count} samples of deep`)
  // The few on the way down are whole.
  assert.ok(cut.samples <= count && cut.samples >= 0.9 * count, `${cut.samples} of ${count}`)
  assert.ok(cut.time <= time && cut.time >= 0.9 * time)
})

/** A chain of calls below the root, and a sample of its end, which takes 7 µs. */
function chain (names: readonly string[], more: TestNode[] = []) {
  const nodes = names.map((name, at): TestNode => ({ id: at + 2, frame: frame(name, `file:///${name}.js`, 1, 1), children: at + 1 < names.length ? [at + 3] : [] }))
  const others = more.filter(({ id }) => !more.some(({ children = [] }) => children.includes(id))).map(({ id }) => id)
  return importCpuProfile(cpuProfile([{ id: 1, frame: frame('(root)'), children: [2, ...others] }, ...nodes, ...more], [[names.length + 1, 7]]))
}

test('stacks of fewer frames are whole', () => {
  assert.deepEqual(cutStacks(chain(Array.from({ length: 254 }, () => 'f'))), { samples: 0, time: 0 })
  assert.deepEqual(cutStacks(chain(Array.from({ length: 255 }, () => 'f'))), { samples: 1, time: 7 })
})

test('so are those of more frames that begin where nobody calls: V8 tells inlined functions beside its 255', () => {
  assert.deepEqual(cutStacks(chain(['entry', ...Array.from({ length: 2000 }, () => 'f')])), { samples: 0, time: 0 })
  const caller: TestNode[] = [{ id: 9001, frame: frame('main', 'file:///main.js', 1, 1), children: [9002] }, { id: 9002, frame: frame('entry', 'file:///entry.js', 1, 1), children: [] }]
  assert.deepEqual(cutStacks(chain(['entry', ...Array.from({ length: 2000 }, () => 'f')], caller)), { samples: 1, time: 7 })
})

test('an empty profile has none', () => {
  assert.deepEqual(cutStacks(importCpuProfile(cpuProfile([{ id: 1, frame: frame('(root)'), children: [] }], []))), { samples: 0, time: 0 })
})
