import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { importCpuProfile } from '@geordi/profile'
import { CLI, temporary } from './support.ts'

const PROGRAM = `
class Galaxy { chart (ms) { const end = process.cpuUsage().user + ms * 1000; while (process.cpuUsage().user < end); } }
function plot () { new Galaxy().chart(40) }
function navigate () { plot(); new Galaxy().chart(20) }
navigate()
`
const ENDINGS = ['.pdf', '.svg', '.dot', '.json', '.collapsed', '.pb.gz', '.speedscope.json', '.cpuprofile'] as const

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

async function render (args: string[], input?: Buffer): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, 'render', ...args])
  // A command that ends early doesn't read its input.
  child.stdin.on('error', () => {}).end(input)
  const code = new Promise<number | null>(resolve => child.once('close', resolve))
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

function folder (): string {
  return mkdtempSync(join(temporary, 'render-'))
}

describe('geordi render', () => {
  let source: string
  before(async () => {
    const home = folder()
    writeFileSync(join(home, 'ship.cjs'), PROGRAM)
    source = join(home, 'ship.cpuprofile')
    await promisify(execFile)(process.execPath, ['--cpu-prof', `--cpu-prof-dir=${home}`, '--cpu-prof-name=ship.cpuprofile', join(home, 'ship.cjs')])
  })

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await render([source, '-o', '-', '--format', 'json', ...args])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout.toString()) as { run: { title: string }, nodes: Array<{ name: string, location: string, totalShare: number }>, view: object, options: { time?: string } }
  }

  it('writes every kind of file by the end of its name', async () => {
    const out = folder()
    const files = ENDINGS.map(ending => join(out, `x${ending}`))
    const { code, stdout, stderr } = await render([source, ...files.flatMap(file => ['-o', file])])
    assert.equal(code, 0, stderr)
    assert.equal(stdout.length, 0)
    assert.equal(stderr, files.map(file => `geordi: wrote ${file}\n`).join(''))
    assert.deepEqual(readdirSync(out).sort(), ENDINGS.map(ending => `x${ending}`).sort(), 'and nothing else')
    const read = (ending: string) => readFileSync(join(out, `x${ending}`))
    assert.equal(read('.pdf').toString('latin1', 0, 5), '%PDF-')
    assert.match(read('.svg').toString(), /<svg [^]*Galaxy\.chart[^]*<\/svg>\s*$/)
    assert.match(read('.dot').toString(), /^digraph "geordi" \{/)
    assert.match(read('.dot').toString(), /Galaxy\.chart/, 'with the names that the sources tell')
    assert.equal(JSON.parse(read('.json').toString()).format, 'geordi-callgraph')
    assert.match(read('.collapsed').toString(), /;navigate \(.*ship\.cjs:4\);plot \(.*ship\.cjs:3\);Galaxy\.chart \(.*ship\.cjs:2\)[^\n]* \d+\n/)
    assert.ok(gunzipSync(read('.pb.gz')).includes('Galaxy.chart'))
    const { profiles, shared } = JSON.parse(read('.speedscope.json').toString())
    assert.equal(profiles[0].type, 'evented')
    assert.ok(shared.frames.some(({ name }: { name: string }) => name === 'Galaxy.chart'))
    assert.deepEqual(importCpuProfile(read('.cpuprofile')).samples, importCpuProfile(readFileSync(source)).samples)
  })

  it('reads standard input, and writes to standard output nothing but what was asked for', async () => {
    const out = folder()
    const { code, stdout, stderr } = await render(['-', '-o', '-', '-o', join(out, 'x.dot')], readFileSync(source))
    assert.equal(code, 0, stderr)
    assert.equal(stdout.toString('latin1', 0, 5), '%PDF-', 'a PDF unless --format says else')
    assert.match(stdout.toString('latin1').trimEnd(), /%%EOF$/)
    assert.ok(existsSync(join(out, 'x.dot')))
    const collapsed = await render([source, '-o', '-', '--format', 'collapsed'])
    for (const line of collapsed.stdout.toString().trimEnd().split('\n')) assert.match(line, / \d+$/)
    assert.equal(collapsed.stderr, '')
  })

  it('keeps the waits of a recording that has them', async () => {
    const home = folder()
    const [script, recording, copy] = [join(home, 'wait.mjs'), join(home, 'wait.cpuprofile'), join(home, 'copy.cpuprofile')]
    writeFileSync(script, `
      import { writeFileSync } from 'node:fs'
      import { instrument, recordRun } from ${JSON.stringify(import.meta.resolve('@geordi/profiler'))}
      instrument()
      const now = () => Number(process.hrtime.bigint() / 1000n)
      const [recorder, start] = [recordRun(), now()]
      await recorder.run(async function doze () { await new Promise(resolve => setTimeout(resolve, 20)) })
      const end = now()
      writeFileSync(process.argv[2], JSON.stringify(recorder.stop(() => ({ run: { wallTime: end - start, profiler: recorder.profiler }, window: { start, end } }))))
      process.exit()`)
    await promisify(execFile)(process.execPath, [script, recording])
    const { code, stderr } = await render([recording, '-o', copy, '-o', join(home, 'wait.dot')])
    assert.equal(code, 0, stderr)
    assert.deepEqual(readFileSync(copy), readFileSync(recording), 'as it was written')
    assert.match(readFileSync(join(home, 'wait.dot'), 'utf8'), /setTimeout/)
  })

  it('shows what the options say', async () => {
    const all = await json()
    assert.equal(all.run.title, 'ship.cpuprofile')
    const few = await json('--nodes', '3', '--node-fraction', '0.01', '--edge-fraction', '0.01')
    assert.equal(few.nodes.length, 3)
    assert.deepEqual(few.options, { time: 'cpu', maxNodes: 3, nodeFraction: 0.01, edgeFraction: 0.01, edgesPerNode: 1.8 })
    assert.equal((await json('--time', 'wall')).options.time, 'wall')
    const below = await json('--root', 'plot')
    assert.equal(below.nodes.find(({ name }) => name === 'plot')?.totalShare, 1)
    assert.ok(below.nodes.some(({ name }) => name === 'Galaxy.chart') && !below.nodes.some(({ name }) => name === 'navigate'))
    const through = await json('--focus', 'plot')
    assert.ok(through.nodes.some(({ name }) => name === 'navigate'))
    assert.deepEqual((await json('--focus', '/^Galaxy\\./i')).view, { focus: { function: '/^Galaxy\\./i' }, granularity: 'function' })
    const own = await json('--focus', 'own')
    assert.deepEqual(own.nodes.map(({ name }) => name).sort(), ['(module)', 'Galaxy.chart', 'navigate', 'plot'])
    const files = await json('--granularity', 'file')
    assert.ok(files.nodes.some(({ name }) => name === 'ship.cjs'))
    const packages = await json('--granularity', 'package')
    assert.ok(packages.nodes.some(({ name }) => name === 'Node.js'))
    const linked = await render([source, '-o', '-', '--format', 'svg', '--source-link', 'vscode://file/{path}:{line}'])
    assert.match(linked.stdout.toString(), /vscode:\/\/file\/[^"]*ship\.cjs:2/)
    const plain = await json('--no-sources')
    assert.ok(plain.nodes.some(({ name }) => name === 'chart') && !plain.nodes.some(({ name }) => name === 'Galaxy.chart'))
  })

  it('tells the options and formats', async () => {
    const { code, stdout } = await render(['--help'])
    assert.equal(code, 0)
    for (const word of [...ENDINGS, '--focus', '--root', '--granularity', '--nodes', '--format']) assert.ok(stdout.includes(word), word)
  })

  const wrong: Array<[what: string, args: string[], message: RegExp]> = [
    ['no profile', [], /Give one profile/],
    ['two profiles', ['a', 'b'], /Give one profile/],
    ['a name that does not say what to write', ['SOURCE', '-o', 'report.html'], /report\.html: the name must end in \.speedscope\.json, \.pb\.gz, \.pdf, .*\.cpuprofile/],
    ['a folder that is not there', ['SOURCE', '-o', '/no/such/x.pdf'], /can't be written/],
    ['two standard outputs', ['SOURCE', '-o', '-', '-o', '-'], /-o - can be given once/],
    ['a format for files', ['SOURCE', '-o', 'x.pdf', '--format', 'dot'], /--format is for -o - only/],
    ['a format that is none', ['SOURCE', '-o', '-', '--format', 'html'], /--format html isn't known; it takes .*speedscope/],
    ['an option that is none', ['SOURCE', '--depth', '5'], /--depth/],
    ['a time that is none', ['SOURCE', '--time', 'idle'], /--time must be/],
    ['nodes that are no number', ['SOURCE', '--nodes', 'many'], /--nodes must be/],
    ['no nodes', ['SOURCE', '--nodes', '0'], /--nodes must be/],
    ['a fraction over 1', ['SOURCE', '--node-fraction', '5'], /--node-fraction must be/],
    ['an empty fraction', ['SOURCE', '--edge-fraction='], /--edge-fraction must be/],
    ['a granularity that is none', ['SOURCE', '--granularity', 'line'], /--granularity must be/],
    ['a focus that is no expression', ['SOURCE', '--focus', '/(/'], /--focus: Invalid regular expression/],
    ['a package without a name', ['SOURCE', '--focus', 'package:'], /needs the name/],
    ['a link that runs code', ['SOURCE', '-o', '-', '--format', 'svg', '--source-link', 'javascript:alert(1)'], /--source-link takes a URL/],
    ['an empty root', ['SOURCE', '--root', ''], /--root must not be empty/]
  ]
  for (const [what, args, message] of wrong) {
    it(`refuses ${what} with exit code 2`, async () => {
      const { code, stderr, stdout } = await render(args.map(arg => arg === 'SOURCE' ? source : arg))
      assert.equal(code, 2, stderr)
      assert.match(stderr, message)
      assert.match(stderr, /See: geordi render --help/)
      assert.equal(stdout.length, 0)
    })
  }

  const garbage: Array<[what: string, content: string | Buffer, message: RegExp]> = [
    ['nothing', '', /The profile is empty/],
    ['no JSON', 'hello', /isn't JSON text, or was cut off/],
    ['half a profile', '{"nodes":[{"id":1,', /cut off/],
    ['another JSON', '{"a":1}', /isn't a V8 CPU profile: it has no list of "nodes"/],
    ['a trace', '{"traceEvents":[]}', /trace of the whole browser/],
    ['a heap profile', '{"head":{"selfSize":1,"children":[],"callFrame":{}}}', /heap profile/],
    ['something compressed', Buffer.from([0x1f, 0x8b, 8, 0]), /compressed with gzip/],
    ['a damaged tree', '{"nodes":[{"id":1,"children":[1]}],"samples":[],"timeDeltas":[]}', /call tree is damaged/],
    ['samples of nowhere', '{"nodes":[{"id":1}],"samples":[7],"timeDeltas":[1]}', /samples are damaged/],
    ['binary', Buffer.from(Array.from({ length: 1000 }, (_, at) => at * 7 % 256)), /isn't JSON text/]
  ]
  for (const [what, content, message] of garbage) {
    it(`fails on ${what} with exit code 1 and one clear line`, async () => {
      const out = join(folder(), 'x.dot')
      const { code, stderr } = await render(['-', '-o', out], Buffer.from(content))
      assert.equal(code, 1)
      assert.match(stderr, message)
      assert.match(stderr, /^geordi: [^\n]+\n$/)
      assert.equal(existsSync(out), false)
    })
  }

  it('fails on a file that is not there, and on a view of nothing', async () => {
    const missing = await render(['/no/such.cpuprofile', '-o', join(folder(), 'x.dot')])
    assert.deepEqual([missing.code, /^geordi: \/no\/such\.cpuprofile can't be read: ENOENT[^\n]*\n$/.test(missing.stderr)], [1, true], missing.stderr)
    const nothing = await render([source, '-o', join(folder(), 'x.dot'), '--focus', 'nobody'])
    assert.deepEqual([nothing.code, /^geordi: No sample is in the view: [^\n]*"focus" \(nobody\)[^\n]*\n$/.test(nothing.stderr)], [1, true], nothing.stderr)
  })

  it('leaves the file that was there, and nothing else, when it fails', async () => {
    const out = folder()
    const kept = join(out, 'x.dot')
    writeFileSync(kept, 'before')
    assert.equal((await render([source, '-o', kept, '--focus', 'nobody'])).code, 1)
    assert.equal(readFileSync(kept, 'utf8'), 'before')
    assert.deepEqual(readdirSync(out), ['x.dot'])
  })

  it('a link stays a link, and what is no file is written into', async () => {
    const out = folder()
    const [real, link, pipe] = [join(out, 'real.dot'), join(out, 'link.dot'), join(out, 'pipe.dot')]
    writeFileSync(real, 'before')
    symlinkSync(real, link)
    assert.equal((await render([source, '-o', link])).code, 0)
    assert.match(readFileSync(real, 'utf8'), /^digraph/)
    assert.ok(existsSync(link) && readdirSync(out).length === 2)
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
    const reader = spawn('cat', [pipe])
    const [read, { code }] = await Promise.all([text(reader.stdout), render([source, '-o', pipe])])
    assert.equal(code, 0)
    assert.match(read, /^digraph/)
    assert.ok(statSync(pipe).isFIFO())
  })

  it('ends with one line when nobody reads its standard output', async () => {
    const child = spawn('sh', ['-c', '"$0" "$1" render "$2" -o - --format cpuprofile; echo "code $?" >&2', process.execPath, CLI, source])
    child.stdout.destroy()
    const stderr = await text(child.stderr)
    assert.match(stderr, /^geordi: Standard output can't be written: [^\n]*EPIPE[^\n]*\ncode 1\n$/)
  })
})
