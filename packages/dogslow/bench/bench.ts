/*
 * What dogslow costs, beside the same app without it: npm run bench -w @geordi/dogslow
 * Ratios are of pairs of short slices in turn, so they hold while the machine's speed drifts.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import autocannon from 'autocannon'
import { startLocalServer } from '@geordi/replay/local'
import { liveWaits } from '@geordi/waits/live'

const PROCESSES = Number(process.argv[2] ?? 6)
const PAIRS = Number(process.argv[3] ?? 40)
const AMOUNT = 1000
/** Requests that do some work take ten times as long. */
const WORKING_PAIRS = Math.ceil(PAIRS / 4)
const WORKING_AMOUNT = 400
const WORKING_LEAD = 200
const WARM_UP = 10
const OPEN = 10_000
const PIPELINED = 100

interface Slice { readonly wall: number, readonly p50: number, readonly p99: number, readonly cpu: number }
interface Told { readonly user: number, readonly system: number, readonly memory: NodeJS.MemoryUsage, readonly open: number }
interface Running { readonly child: ChildProcess, readonly addresses: Readonly<Record<string, string>> }
/** What is measured in turn, the app alone twice: that is the noise. */
interface Variant { readonly child: ChildProcess, readonly url: string }

async function start (...args: string[]): Promise<Running> {
  const child = fork(new URL('./app.js', import.meta.url), args, { execArgv: ['--expose-gc'] })
  const [addresses] = await once(child, 'message') as [Running['addresses']]
  return { child, addresses }
}

async function ask (child: ChildProcess, message: 'look' | 'collect' = 'look'): Promise<Told> {
  child.send(message)
  const [told] = await once(child, 'message') as [Told]
  return told
}

async function end (child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function load ({ child, url }: Variant, amount: number): Promise<Slice> {
  const latencies: number[] = []
  const before = await ask(child)
  const started = performance.now()
  let last = started
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    // It ends a run at its next look only.
    const running = autocannon({ url, amount, connections: 10, sampleInt: 5 } as autocannon.Options, (error, done) => error ? reject(error) : resolve(done))
    running.on('response', (_client, _status, _bytes, milliseconds) => {
      latencies.push(milliseconds)
      last = performance.now()
    })
  })
  if (result.non2xx > 0 || result.errors > 0) throw new Error('A request failed.')
  const after = await ask(child)
  latencies.sort((a, b) => a - b)
  const cpu = after.user + after.system - before.user - before.system
  return { wall: last - started, p50: latencies[amount / 2]!, p99: latencies[amount * 0.99]!, cpu: cpu / amount }
}

function median (values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** The median and its 95 % interval, by order statistics. */
function show (values: number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const spread = 0.98 * Math.sqrt(sorted.length)
  const at = (index: number) => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(index)))]!.toFixed(3)
  return `${median(values).toFixed(3)} (${at(sorted.length / 2 - spread)} … ${at(sorted.length / 2 + spread)})`
}

/** Slices of all variants in turn. While the others have theirs, a budget fills up: `lead` requests before each slice use that up again. */
async function takeTurns (variants: readonly Variant[], pairs: number, amount: number, lead = 0): Promise<Slice[][]> {
  const rounds: Slice[][] = []
  for (let slice = 0; slice < WARM_UP; slice++) for (const variant of variants) await load(variant, amount)
  for (let round = 0; round < pairs; round++) {
    const slices: Slice[] = []
    for (let turn = 0; turn < variants.length; turn++) {
      const which = (round + turn) % variants.length
      if (lead > 0) await load(variants[which]!, lead)
      slices[which] = await load(variants[which]!, amount)
    }
    rounds.push(slices)
  }
  return rounds
}

/** @param names Of the variants after the first, which is what they are compared with. */
function tell (rounds: readonly Slice[][], names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    const ratio = (of: (slice: Slice) => number) => show(rounds.map(slices => of(slices[index + 1]!) / of(slices[0]!)))
    console.log(`  ${name}: throughput ${show(rounds.map(slices => slices[0]!.wall / slices[index + 1]!.wall))}  p50 ${ratio(({ p50 }) => p50)}  p99 ${ratio(({ p99 }) => p99)}  processor ${ratio(({ cpu }) => cpu)}`)
  }
  const cpu = (at: number) => `${median(rounds.map(slices => slices[at]!.cpu)).toFixed(1)} µs`
  console.log(`  processor time a request: ${cpu(0)} without; ${names.map((name, index) => `${cpu(index + 1)} ${name}`).join('; ')}`)
}

async function measureRequests (): Promise<void> {
  const rounds: Slice[][] = []
  for (let number = 0; number < PROCESSES; number++) {
    const { child, addresses } = await start(number % 2 === 0 ? 'plain,watched' : 'watched,plain')
    try {
      rounds.push(...await takeTurns(['plain', 'plain', 'watched'].map(app => ({ child, url: `${addresses[app]}/hello` })), PAIRS, AMOUNT))
    } finally {
      await end(child)
    }
  }
  console.log(`Requests that wait for nothing: medians of ${rounds.length} slices of ${AMOUNT}, in ${PROCESSES} processes (95 % confidence)`)
  tell(rounds, ['without once more (noise)', 'with'])
}

async function measureWork (): Promise<void> {
  const servers = await Promise.all([startLocalServer({ kind: 'postgres' }), startLocalServer({ kind: 'redis' })])
  const apps = ['plain', 'plain', 'watched', 'unbounded']
  const rounds: Slice[][] = []
  try {
    for (let number = 0; number < PROCESSES; number++) {
      const running = await Promise.all(apps.map(app => start(app, ...servers.map(({ url }) => url))))
      try {
        const variants = running.map(({ child, addresses }, index) => ({ child, url: `${addresses[apps[index]!]}/work` }))
        rounds.push(...await takeTurns(variants, WORKING_PAIRS, WORKING_AMOUNT, WORKING_LEAD))
      } finally {
        await Promise.all(running.map(({ child }) => end(child)))
      }
    }
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
  console.log(`Requests of three queries and two commands: medians of ${rounds.length} slices of ${WORKING_AMOUNT}, in ${PROCESSES} processes of each (95 % confidence)`)
  tell(rounds, ['without once more (noise)', 'with', 'with a budget of 1'])
}

async function measureMemory (): Promise<void> {
  const told: Record<string, { idle: Told, held: Told }> = {}
  for (const mode of ['plain', 'watched'] as const) {
    const { child, addresses } = await start(mode)
    try {
      await load({ child, url: `${addresses[mode]}/hello` }, AMOUNT)
      await sleep(1000)
      const idle = await ask(child, 'collect')
      const { port } = new URL(addresses[mode]!)
      // Pipelined, because a process may have no more than some thousand files open.
      const sockets = Array.from({ length: OPEN / PIPELINED }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
      for (const socket of sockets) socket.write('GET /hold HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(PIPELINED))
      let held = await ask(child)
      while (held.open < OPEN) {
        await sleep(50)
        held = await ask(child)
      }
      await sleep(1000)
      told[mode] = { idle, held: await ask(child, 'collect') }
      for (const socket of sockets) socket.destroy()
    } finally {
      await end(child)
    }
  }
  const { plain, watched } = told as Record<'plain' | 'watched', { idle: Told, held: Told }>
  const mega = (one: number, other: number) => `${((one - other) / 1e6).toFixed(1)} MB`
  console.log(`Memory: ${mega(watched.idle.memory.rss, plain.idle.memory.rss)} resident, of which ${mega(watched.idle.memory.heapUsed, plain.idle.memory.heapUsed)} on the main thread's heap; a thread that does nothing: ${mega(await measureEmptyThread(), 0)}`)
  const each = (key: 'rss' | 'heapUsed') => (watched.held.memory[key] - watched.idle.memory[key] - plain.held.memory[key] + plain.idle.memory[key]) / OPEN
  console.log(`  an open request, of ${OPEN}: ${each('rss').toFixed(0)} bytes resident, ${each('heapUsed').toFixed(0)} on the heap`)
}

/** A thread that does nothing: what any watcher is that is to act while the main thread hangs. */
async function measureEmptyThread (): Promise<number> {
  const before = process.memoryUsage.rss()
  const thread = new Worker('require(\'node:worker_threads\').parentPort.on(\'message\', () => {}).postMessage(0)', { eval: true, execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64, stackSizeMb: 1 } })
  await once(thread, 'message')
  await sleep(1000)
  const resident = process.memoryUsage.rss() - before
  await thread.terminate()
  return resident
}

async function measureWaits (): Promise<void> {
  const run = async (times: number) => {
    const started = process.cpuUsage()
    for (let at = 0; at < times; at += 100) await Promise.all(Array.from({ length: 100 }, () => new Promise(resolve => { setTimeout(resolve, 0) })))
    const { user, system } = process.cpuUsage(started)
    return (user + system) / times
  }
  const rounds: Array<[number, number]> = []
  for (let round = -2; round < 15; round++) {
    const plain = await run(5000)
    const waits = liveWaits({ prefix: 'dogslow#', of: () => undefined, any: () => true }, 1)
    const noted = await run(5000)
    waits.stop()
    if (round >= 0) rounds.push([plain, noted])
  }
  console.log(`A noted timer: ${median(rounds.map(([plain, noted]) => noted - plain)).toFixed(1)} µs more than ${median(rounds.map(([plain]) => plain)).toFixed(1)}`)
}

await measureMemory()
await measureWaits()
await measureRequests()
await measureWork()
