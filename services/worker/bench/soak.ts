/**
 * A worker and a web process at work for as many minutes as are given (30), with replays of every ending. Prints what they
 * hold, which must not grow. `npm run soak -w @geordi/worker -- MINUTES redis|postgres`
 */
import { startLocalServer } from '@geordi/replay/local'
import { Site } from '../test/faults-support.ts'
import { replayFolders } from '../test/support.ts'
import { entries, holdings, replayProcesses, tellWhatGrew } from './figures.ts'

const PATHS = ['/fine', '/throws', '/fine', '/exits', '/resets', '/fine', '/killed', '/rejects-after', '/hijacked']
/** Milliseconds between two lines. */
const REPORT = 15_000

const minutes = Number(process.argv[2] ?? 30)
if (!(minutes > 0)) throw new Error('Say how many minutes: a number over 0.')
const server = await startLocalServer({ kind: process.argv[3] === 'postgres' ? 'postgres' : 'redis' })
const site = await Site.open(server, { TEST_RETENTION: '50' })
const seen: Array<Record<string, number>> = []
try {
  await site.startWorker()
  const end = performance.now() + minutes * 60_000
  let next = performance.now()
  for (let count = 0; performance.now() < end; count++) {
    const url = `${PATHS[count % PATHS.length]!}?${count}`
    await site.state(await site.flag(url), 'done', 'failed')
    if (performance.now() < next) continue
    next += REPORT
    await tell(count + 1)
  }
  tellWhatGrew(seen)
} finally {
  await site.end()
  await server.stop()
}

async function tell (count: number): Promise<void> {
  const { web, workers } = site.processes()
  const [worker, app] = [holdings(workers[0]!), holdings(web)]
  const figures = {
    'worker MB': worker.megabytes,
    'worker files': worker.files,
    'web MB': app.megabytes,
    'web files': app.files,
    'replay processes': replayProcesses(`TEST_QUEUE=${site.name}`),
    folders: replayFolders().length
  }
  seen.push(figures)
  const runs = site.runs()
  console.log(`${count} replays, ${new Set(runs.map(({ url }) => url)).size} ran, ${runs.length} runs; ${Object.entries(figures).map(([name, figure]) => `${name} ${figure}`).join(', ')}; ${await entries(server, site.name)} keys or rows, which grow until BullMQ has the 1000 jobs that it keeps for an hour, and some 10,000 events`)
}
