import autocannon from 'autocannon'
import { end, startApps } from './processes.ts'
import { median, quantile } from './statistics.ts'

const PAIRS = 20
/** Requests in a slice: a fraction of a second, so that what else the machine does meets both sides alike. */
const AMOUNT = 4000
const WARM_UP = 5
/** A URL that nothing listens on: an unflagged request must not even try the queue. */
const NO_QUEUE = 'redis://127.0.0.1:1'

interface Run { throughput: number, p50: number }

/**
 * Throughput and latency of unflagged requests, with the plugin and without, in short slices that take turns
 * with one process. Plain against plain is measured as well: what that differs from 1 is the noise.
 */
export async function measureOverhead (): Promise<void> {
  const apps = await startApps(NO_QUEUE)
  try {
    for (let slice = 0; slice < WARM_UP; slice++) for (const address of [apps.plain, apps.profiled]) await load(address)
    console.log(`Unflagged requests, medians of ${PAIRS} pairs of slices of ${AMOUNT} requests over 10 connections, in turn`)
    show('with the plugin / without', await measurePairs(apps.profiled, apps.plain))
    show('without / without (noise)', await measurePairs(apps.plain, apps.plain))
  } finally {
    await end(apps.process)
  }
}

async function measurePairs (one: string, other: string): Promise<Array<[Run, Run]>> {
  const pairs: Array<[Run, Run]> = []
  for (let pair = 0; pair < PAIRS; pair++) {
    // Who goes first takes turns, too.
    const first = pair % 2 === 0 ? await load(one) : undefined
    const second = await load(other)
    pairs.push([first ?? await load(one), second])
  }
  return pairs
}

function show (what: string, pairs: Array<[Run, Run]>): void {
  const ratios = (of: (run: Run) => number) => pairs.map(([one, other]) => of(one) / of(other))
  const spread = (values: number[]) => `${median(values).toFixed(3)}  (quartiles ${quantile(values, 0.25).toFixed(3)} … ${quantile(values, 0.75).toFixed(3)})`
  console.log(`  ${what.padEnd(26)} throughput ${spread(ratios(run => run.throughput))}   p50 ${spread(ratios(run => run.p50))}`)
}

async function load (address: string): Promise<Run> {
  const latencies: number[] = []
  const start = performance.now()
  let last = start
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon({ url: `${address}/hello`, amount: AMOUNT, connections: 10 }, (error, result) => error ? reject(error) : resolve(result))
    // autocannon's own figures are in whole milliseconds and seconds, coarser than these requests and slices are long.
    running.on('response', (_client, _statusCode, _bytes, milliseconds) => {
      latencies.push(milliseconds)
      last = performance.now()
    })
  })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} requests failed`)
  return { throughput: AMOUNT / (last - start) * 1000, p50: median(latencies) }
}
