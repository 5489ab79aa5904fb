import { once } from 'node:events'
import autocannon from 'autocannon'
import { end, startApps, type Apps } from './processes.ts'
import { median, medianInterval } from './statistics.ts'

/** How V8 optimises the apps differs from process to process. */
const PROCESSES = 8
/** In each process. */
const PAIRS = 200
/** Requests in a slice: a tenth of a second or less, so that what else the machine does meets both sides alike. */
const AMOUNT = 1000
const WARM_UP = 20
/** autocannon ends a run at its next look only; its default is a second. */
const LOOK = 5
/** A URL that nothing listens on: an unflagged request must not even try the queue. */
const NO_QUEUE = 'redis://127.0.0.1:1'

/** A slice. Times are milliseconds. */
interface Slice { readonly wall: number, readonly p50: number, readonly cpu: number }

/**
 * Throughput, latency and processor time of unflagged requests, with the plugin and without, in short slices that take
 * turns with one process. Plain against plain is measured as well, in the same turns: what that differs from 1 is the noise.
 */
export async function measureOverhead (): Promise<void> {
  const slices: Slice[][] = []
  for (let process = 0; process < PROCESSES; process++) slices.push(...await measureProcess(process % 2 === 0))
  console.log(`Unflagged requests: medians of ${slices.length} pairs of slices of ${AMOUNT} requests over 10 connections, in turn, in ${PROCESSES} processes (95 % confidence)`)
  show('with the plugin / without', slices.map(([plain, , profiled]) => [profiled!, plain!]))
  show('without / without (noise)', slices.map(([plain, again]) => [again!, plain!]))
}

async function measureProcess (plainFirst: boolean): Promise<Slice[][]> {
  const apps = await startApps(NO_QUEUE, plainFirst)
  try {
    for (let slice = 0; slice < WARM_UP; slice++) for (const address of [apps.plain, apps.profiled]) await load(apps, address)
    const slices: Slice[][] = []
    for (let round = 0; round < PAIRS; round++) slices.push(await measureRound(apps, round))
    return slices
  } finally {
    await end(apps.process)
  }
}

/** A slice of the plain app, another one, and one with the plugin, in an order that changes from round to round. */
async function measureRound (apps: Apps, round: number): Promise<Slice[]> {
  const addresses = [apps.plain, apps.plain, apps.profiled]
  const slices: Slice[] = []
  for (let turn = 0; turn < addresses.length; turn++) {
    const which = (round + turn) % addresses.length
    slices[which] = await load(apps, addresses[which]!)
  }
  return slices
}

function show (what: string, pairs: Array<[one: Slice, other: Slice]>): void {
  const ratio = (of: (one: Slice, other: Slice) => number) => {
    const ratios = pairs.map(pair => of(...pair))
    const [least, most] = medianInterval(ratios)
    return `${median(ratios).toFixed(3)} (${least.toFixed(3)} … ${most.toFixed(3)})`
  }
  console.log(`  ${what}   throughput ${ratio((one, other) => other.wall / one.wall)}   p50 ${ratio((one, other) => other.p50 / one.p50)}   processor ${ratio((one, other) => other.cpu / one.cpu)}`)
}

async function load ({ process }: Apps, address: string): Promise<Slice> {
  const latencies: number[] = []
  const before = await processorTime(process)
  const start = performance.now()
  let last = start
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon({ url: `${address}/hello`, amount: AMOUNT, connections: 10, sampleInt: LOOK }, (error, result) => error ? reject(error) : resolve(result))
    // autocannon's own figures are in whole milliseconds and seconds, coarser than these requests and slices are long.
    running.on('response', (_client, _statusCode, _bytes, milliseconds) => {
      latencies.push(milliseconds)
      last = performance.now()
    })
  })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} requests failed`)
  return { wall: last - start, p50: median(latencies), cpu: await processorTime(process) - before }
}

/** What the apps' process has used of the processor: its wall time also holds what others do on the machine. */
async function processorTime (process: Apps['process']): Promise<number> {
  process.send('processor time?')
  const [{ user, system }] = await once(process, 'message') as [NodeJS.CpuUsage]
  return (user + system) / 1000
}
