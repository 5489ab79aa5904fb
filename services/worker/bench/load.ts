/**
 * Many replays at once, and many in a row; both need minutes. `npm run load -w @geordi/worker -- redis|postgres`
 */
import { get as httpGet, Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Replays } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { Site } from '../test/faults-support.ts'
import { SECRET } from '../test/queue.ts'
import { get, until } from '../test/support.ts'
import { entries, holdings, quantile } from './figures.ts'

const ADMINS = 200
const FINISHED = 10_000
/** Milliseconds between two requests of the normal traffic. */
const PACE = 4

const kind = process.argv[2] === 'postgres' ? 'postgres' : 'redis'
const server = await startLocalServer({ kind })
try {
  await atOnce(server)
  await inARow(server)
} finally {
  await server.stop()
}

/** 200 admins flag a request each; normal traffic goes on. One worker replays as much as it can meanwhile. */
async function atOnce (server: LocalServer): Promise<void> {
  const site = await Site.open(server)
  try {
    await site.startWorker()
    await site.state(await site.flag('/fine?first'), 'done')
    await traffic(site, 2000)
    const idle = await traffic(site, 8000)
    const sent = performance.now()
    const flags = Promise.all(Array.from({ length: ADMINS }, (_, index) => site.flag(`/fine?${index}`, `ensign ${index}`)))
    const [flagging, ids] = await Promise.all([traffic(site, 8000), flags.then(ids => {
      console.log(`${kind}: ${ADMINS} admins at once: all queued after ${Math.round(performance.now() - sent)} ms`)
      return ids
    })])
    const p99 = [idle, flagging].map(latencies => quantile(latencies, 0.99))
    console.log(`${kind}: p99 of normal traffic idle ${p99[0]!.toFixed(2)} ms, while they ask and the worker replays on the same machine ${p99[1]!.toFixed(2)} ms: ${(p99[1]! / p99[0]!).toFixed(2)} times`)
    for (const id of ids) await site.state(id, 'done')
    const runs = site.runs().map(({ url }) => url)
    console.log(`${kind}: ${runs.length} ran, ${new Set(runs).size} of them different, after ${Math.round((performance.now() - sent) / 1000)} s`)
  } finally {
    await site.end()
  }
}

/** Requests that are not flagged, one each 4 ms, for so many milliseconds. @returns their latencies */
async function traffic (site: Site, milliseconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 10 })
  const latencies: number[] = []
  const pending: Array<Promise<void>> = []
  for (const end = performance.now() + milliseconds; performance.now() < end; await delay(PACE)) {
    pending.push(new Promise((resolve, reject) => {
      const start = performance.now()
      httpGet(`${site.address}/normal`, { agent }, response => {
        response.resume().on('end', () => {
          latencies.push(performance.now() - start)
          resolve()
        })
      }).on('error', reject)
    }))
  }
  await Promise.all(pending)
  agent.destroy()
  return latencies
}

/** 10,000 replays that end at once, as a worker and a web process look after them. */
async function inARow ({ url }: LocalServer): Promise<void> {
  const name = 'row'
  const web = await Replays.open({ url, name, secret: SECRET, role: 'worker', maxOpenPerAdmin: FINISHED })
  const worker = await Replays.open({ url, name, secret: SECRET, role: 'worker' })
  let finished = 0
  const consumer = await worker.consume(async task => {
    await task.claim()
    await task.attach('report.pdf', Buffer.alloc(1000))
    await task.update({ state: 'done' })
    finished++
  }, { concurrency: 4, onError: error => console.error(error.message) })
  try {
    for (let count = 1; count <= FINISHED; count++) {
      await web.submit(get('/fine'))
      if (count % (FINISHED / 5) !== 0) continue
      await until(() => finished === count, `${count} are finished`, 600_000)
      await web.forget()
      const { megabytes, files } = holdings(process.pid)
      console.log(`${kind}: ${count} finished: ${await entries(server, name)} keys or rows, this process ${megabytes} MB, ${files} files`)
    }
  } finally {
    await consumer.close()
    await worker.close()
    await web.close()
  }
}
