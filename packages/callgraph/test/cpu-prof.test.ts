import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { importCpuProfile, type Profile } from '@geordi/profile'
import { buildCallGraph, type CallGraph } from '../src/index.ts'
import { naiveTimes, type NaiveTimes } from './naive-times.ts'

/** Work with known callers: `spin` under two of them in a ratio of 3 to 1, direct and mutual recursion. */
const PROGRAM = `
function spin (n) { let x = 0; for (let i = 0; i < n * 2e6; i++) x += Math.sqrt(i) * Math.sin(i); return x }
function heavy () { return spin(3) }
function light () { return spin(1) }
function direct (depth) { return depth === 0 ? spin(1) : direct(depth - 1) }
function ping (depth) { return depth === 0 ? spin(1) : pong(depth - 1) }
function pong (depth) { return depth === 0 ? spin(1) : ping(depth - 1) }
function main () { let sum = 0; for (let i = 0; i < 3; i++) sum += heavy() + light() + direct(5) + ping(6); return sum }
main()
setTimeout(() => {}, 30)
`

describe('against node --cpu-prof', () => {
  let folder: string
  let profile: Profile
  let graph: CallGraph
  let naive: NaiveTimes

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'geordi-callgraph-'))
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-name=it.cpuprofile', '--input-type=commonjs']
    await promisify(execFile)(process.execPath, [...flags, '-e', PROGRAM])
    profile = importCpuProfile(await readFile(join(folder, 'it.cpuprofile')))
    graph = buildCallGraph(profile, { nodeFraction: 0, edgeFraction: 0, maxNodes: 10_000, edgesPerNode: 100 })
    naive = naiveTimes(profile)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  function close (actual: number, expected: number, what: string): void {
    assert.ok(Math.abs(actual - expected) <= 1e-9 * graph.times.busy, `${what}: ${actual}, but sample by sample ${expected}`)
  }

  function node (name: string) {
    const id = graph.nodes.findIndex(({ frame }) => profile.frames[frame]?.name === name)
    assert.ok(id >= 0, `${name} isn't in the graph`)
    return { id, ...graph.nodes[id] as CallGraph['nodes'][number] }
  }

  test('self and total times of every function are those of a walk over every sample', () => {
    assert.ok(graph.nodes.length >= 7)
    graph.nodes.forEach(({ frame, self, total }) => {
      close(self, naive.self.get(frame) ?? 0, `self of ${profile.frames[frame]?.name}`)
      close(total, naive.total.get(frame) ?? 0, `total of ${profile.frames[frame]?.name}`)
    })
    const sampled = Array.from(naive.total.keys()).filter(frame => !profile.frames[frame]?.name.startsWith('('))
    assert.equal(graph.nodes.length, sampled.length)
  })

  test('so are the times of every call', () => {
    assert.ok(graph.edges.length >= 7)
    for (const { from, to, time, residual } of graph.edges) {
      const [caller, callee] = [graph.nodes[from]!.frame, graph.nodes[to]!.frame]
      close(time, naive.calls.get(`${caller} ${callee}`) ?? 0, `${profile.frames[caller]?.name} to ${profile.frames[callee]?.name}`)
      assert.equal(residual, false)
    }
  })

  test('with few functions shown, the totals of those are the same', () => {
    const few = buildCallGraph(profile, { maxNodes: 6 })
    assert.equal(few.nodes.length, 6)
    for (const { frame, self, total } of few.nodes) {
      close(self, naive.self.get(frame) ?? 0, 'self')
      close(total, naive.total.get(frame) ?? 0, 'total')
    }
  })

  test('the known functions are as they must be', () => {
    const [main, spin, direct, ping, pong] = ['main', 'spin', 'direct', 'ping', 'pong'].map(node) as Array<ReturnType<typeof node>>
    assert.ok(main!.total >= spin!.total && spin!.total > 0.5 * graph.times.busy)
    assert.ok(spin!.self > 0.9 * spin!.total)
    // Recursion must not multiply: both are one of six equal parts.
    assert.ok(direct!.total < 0.5 * main!.total && ping!.total < 0.5 * main!.total)
    assert.ok(graph.edges.some(({ from, to }) => from === direct!.id && to === direct!.id), 'direct calls itself')
    assert.ok(graph.edges.some(({ from, to }) => from === ping!.id && to === pong!.id), 'ping calls pong')
    assert.ok(graph.edges.some(({ from, to }) => from === pong!.id && to === ping!.id), 'pong calls ping')
    const call = (from: string) => graph.edges.find(edge => edge.from === node(from).id && edge.to === spin!.id)?.time ?? 0
    assert.ok(call('heavy') > 1.5 * call('light'), 'heavy spins three times as long as light')
    assert.ok(graph.times.idle > 0, 'the timer was waited for')
  })
})
