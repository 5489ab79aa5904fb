import autocannon from 'autocannon'
import { end, startApp } from './processes.ts'
import { median } from './statistics.ts'

const PAIRS = 12
const SECONDS = 3
const WARM_UP = 1
/** A URL that nothing listens on: an unflagged request must not even try the queue. */
const NO_QUEUE = 'redis://127.0.0.1:1'

interface Run { throughput: number, p50: number }

/**
 * Throughput and latency of unflagged requests, with the plugin and without. Each pair runs in two new
 * processes: how V8 happens to lay out and optimise one process alone makes more of a difference than 1 %.
 */
export async function measureOverhead (): Promise<void> {
  const pairs: Array<[Run, Run]> = []
  for (let pair = 0; pair < PAIRS; pair++) pairs.push(await measurePair(pair % 2 === 0))
  const ratio = (of: (run: Run) => number) => median(pairs.map(([plain, measured]) => of(measured) / of(plain)))
  const both = (of: (run: Run) => number, digits: number) => [1, 0].map(side => median(pairs.map(pair => of(pair[side]!))).toFixed(digits)).join(' / ')
  console.log(`Unflagged requests with the plugin / without it (medians of ${PAIRS} pairs of ${SECONDS} s, 10 connections)`)
  console.log(`  throughput  ${ratio(run => run.throughput).toFixed(3)}   (${both(run => run.throughput, 0)} requests a second)`)
  console.log(`  p50         ${ratio(run => run.p50).toFixed(3)}   (${both(run => run.p50, 3)} ms)`)
  console.log(`  each pair   ${pairs.map(([plain, measured]) => (measured.throughput / plain.throughput).toFixed(3)).join(' ')}`)
}

async function measurePair (plainFirst: boolean): Promise<[Run, Run]> {
  const [plain, measured] = [await startApp(), await startApp(NO_QUEUE)]
  try {
    for (const app of [plain, measured]) await load(app.address, WARM_UP)
    if (plainFirst) return [await load(plain.address, SECONDS), await load(measured.address, SECONDS)]
    const second = await load(measured.address, SECONDS)
    return [await load(plain.address, SECONDS), second]
  } finally {
    await Promise.all([end(plain.process), end(measured.process)])
  }
}

async function load (address: string, duration: number): Promise<Run> {
  const latencies: number[] = []
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon({ url: `${address}/hello`, duration, connections: 10 }, (error, result) => error ? reject(error) : resolve(result))
    // autocannon's own percentiles are whole milliseconds, coarser than these requests are long.
    running.on('response', (_client, _statusCode, _bytes, milliseconds) => { latencies.push(milliseconds) })
  })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} requests failed`)
  return { throughput: result.requests.total / result.duration, p50: median(latencies) }
}
