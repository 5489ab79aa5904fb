import { startLocalServer } from '@geordi/replay/local'
import { end, startApps, startWorker } from './processes.ts'
import { median, quantile } from './statistics.ts'

const RUNS = 20
/** Between two requests, for the next spare replay process to come up: «warm» means that it is there. */
const PAUSE = 1500

/** What the record of a replay tells of its way; milliseconds since 1970. */
interface Times { queuedAt: number, takenAt: number, startedAt: number, finishedAt: number, doneAt: number, wallTime: number }

/** How long a flagged request takes from being sent to its PDF, less the time the request itself took. */
export async function measureLatency (kind: 'redis' | 'postgres'): Promise<void> {
  const server = await startLocalServer({ kind })
  const apps = await startApps(server.url)
  const worker = await startWorker(server.url)
  try {
    await flagged(apps.profiled)
    const runs: Array<Record<string, number>> = []
    for (let run = 0; run < RUNS; run++) {
      await new Promise(resolve => setTimeout(resolve, PAUSE))
      runs.push(await flagged(apps.profiled))
    }
    console.log(`\n${kind}: flagged request → PDF, less the request's own time (${RUNS} warm runs of GET /work, milliseconds)`)
    for (const step of Object.keys(runs[0]!)) {
      const values = runs.map(run => run[step]!)
      console.log(`  ${step.padEnd(34)} median ${median(values).toFixed(0).padStart(5)}   p90 ${quantile(values, 0.9).toFixed(0).padStart(5)}`)
    }
  } finally {
    await Promise.all([end(apps.process), end(worker)])
    await server.stop()
  }
}

async function flagged (address: string): Promise<Record<string, number>> {
  const headers = { 'x-admin': 'yes' }
  const sent = Date.now()
  let response = await fetch(`${address}/work?__geordi__`, { headers, redirect: 'manual' })
  let location = ''
  while (response.status === 303) {
    location = response.headers.get('location')!
    response = await fetch(address + location, { headers, redirect: 'manual' })
  }
  const pdf = Buffer.from(await response.arrayBuffer())
  const received = Date.now()
  if (response.status !== 200 || !pdf.subarray(0, 5).equals(Buffer.from('%PDF-'))) throw new Error(`no PDF but ${response.status}: ${pdf}`)

  const page = location.slice(0, location.lastIndexOf('/'))
  const times = await (await fetch(address + page, { headers: { ...headers, accept: 'application/json' } })).json() as Times
  return {
    'all, less the request\'s own time': received - sent - times.wallTime,
    'capture and seal until queued': times.queuedAt - sent,
    'queue until taken by the worker': times.takenAt - times.queuedAt,
    'claim, profiler started': times.startedAt - times.takenAt,
    'send, read, profile written': times.finishedAt - times.startedAt - times.wallTime,
    'graph, layout, PDF, stored': times.doneAt - times.finishedAt,
    'seen by the web process, sent': received - times.doneAt
  }
}
