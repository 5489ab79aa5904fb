/**
 * `npm run bench:report [-- FILE.cpuprofile …]`: from a profile's file to the PDF, beside gprof2dot with Graphviz and `go tool pprof -pdf`, in one
 * run and in turn, as ratios; then a profile of 1,000,000 samples and 200,000 tree nodes in a process of its own, with its memory. Programs that aren't
 * installed are left out, by name. Without files, a compilation of this package is profiled.
 */
import { fork, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importCpuProfile } from '@geordi/profile'
import { exportCollapsed, exportPprof } from '@geordi/profile/exports'
import { renderReport } from '../src/index.ts'
import { findInPackage, profileScript } from '../gallery/programs.ts'
import { largeProfile } from './large-profile.ts'

const NODES = 80
const ROUNDS = 9

const scratch = mkdtempSync(join(tmpdir(), 'geordi-bench-'))
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
try {
  const files = process.argv.slice(2)
  for (const file of files.length > 0 ? files : [await compilation()]) await compare(file)
  await measureLarge()
} finally {
  rmSync(scratch, { recursive: true })
}

async function compilation (): Promise<string> {
  const tsc = findInPackage('typescript', 'bin/tsc')
  if (tsc === undefined) throw new Error('typescript isn\'t installed: give the files of profiles as arguments')
  const folder = join(scratch, 'tsc')
  mkdirSync(folder)
  return profileScript(folder, [0, 1, 2], tsc, '-p', 'packages/report', '--noEmit', '--composite', 'false', '--incremental', 'false')
}

interface Rival { readonly name: string, readonly run: () => void }

async function compare (file: string): Promise<void> {
  const ours: number[] = []
  const rivals = rivalsFor(file).map(rival => ({ ...rival, times: [] as number[] }))
  const render = async () => renderReport(importCpuProfile(readFileSync(file)), { graph: { maxNodes: NODES } })
  const first = await timed(render)
  for (let round = 0; round < 3; round++) await render()
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await timed(render))
    for (const { run, times } of rivals) times.push(await timed(run))
  }
  console.log(`${basename(file)}, ${NODES} nodes, median of ${ROUNDS}:`)
  console.log(`  geordi: ${milliseconds(median(ours))} warm, ${milliseconds(first)} the first time`)
  for (const { name, times } of rivals) {
    const ratio = median(ours.map((time, round) => time / (times[round] as number)))
    console.log(`  ${name}: ${milliseconds(median(times))}; geordi takes ${ratio.toFixed(2)} of that`)
  }
}

function rivalsFor (file: string): Rival[] {
  const rivals: Rival[] = []
  const missing = (name: string, ...tools: string[]) => {
    const absent = tools.filter(tool => spawnSync(tool, ['--help'], { stdio: 'ignore' }).error !== undefined)
    if (absent.length > 0) console.log(`${name}: left out, needs ${absent.join(', ')}`)
    return absent.length > 0
  }
  const out = join(scratch, 'rival.pdf')
  const profile = importCpuProfile(readFileSync(file))
  if (!missing('gprof2dot + dot', 'gprof2dot', 'dot')) {
    const stacks = join(scratch, 'stacks.collapsed')
    writeFileSync(stacks, Array.from(exportCollapsed(profile)).join(''))
    rivals.push({ name: 'gprof2dot + dot', run: () => runRival(`gprof2dot -f collapse '${stacks}' | dot -Tpdf -o '${out}'`) })
  }
  if (!missing('go tool pprof -pdf', 'go', 'dot')) {
    const pprof = join(scratch, 'profile.pb.gz')
    writeFileSync(pprof, exportPprof(profile))
    rivals.push({ name: 'go tool pprof -pdf', run: () => runRival(`go tool pprof -nodecount=${NODES} -output='${out}' -pdf '${pprof}'`) })
  }
  return rivals
}

function runRival (command: string): void {
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
}

async function measureLarge (): Promise<void> {
  const file = join(scratch, 'large.cpuprofile')
  writeFileSync(file, JSON.stringify(largeProfile(200_000, 1_000_000)))
  const child = fork(fileURLToPath(new URL('./render-once.js', import.meta.url)), [file])
  const answer = await new Promise<{ time: number, memory: number }>((resolve, reject) => {
    child.on('message', resolve).on('exit', code => reject(new Error(`render-once ended with ${code}`)))
  })
  console.log('\n1,000,000 samples, 200,000 tree nodes, a process of its own:')
  console.log(`  ${milliseconds(answer.time)} from the file to the PDF, at most ${Math.round(answer.memory / 1e6)} MB`)
}

async function timed (work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function median (times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] as number
}

function milliseconds (time: number): string {
  return `${time.toFixed(0)} ms`
}
