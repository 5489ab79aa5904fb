/**
 * Many replays at once, and many in a row: `npm run load -w @geordi/worker -- [redis|postgres] [ADMINS] [FINISHED]`; with the 200
 * and 10,000 that it takes unless told otherwise some four minutes.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Replays } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { endLeases, idleWorker, Site } from '../test/faults-support.ts'
import { SECRET } from '../test/queue.ts'
import { get, until } from '../test/support.ts'
import { entries, holdings, quantile, tellWhatGrew } from './figures.ts'

const kind = process.argv[2] === 'postgres' ? 'postgres' : 'redis'
const ADMINS = Number(process.argv[3] ?? 200)
const FINISHED = Number(process.argv[4] ?? 10_000)
/** Milliseconds that normal traffic is measured for, at a time. */
const WINDOW = 6000
/** How often each way of being busy is measured: the median counts. */
const ROUNDS = 3
/** Requests sent at once in `inARow`, so that the queue is never empty and nothing waits for its turn. */
const AT_ONCE = 50

const server = await startLocalServer({ kind })
try {
  if (ADMINS > 0) await atOnce(server)
  if (FINISHED > 0) await inARow(server)
} finally {
  await server.stop()
}

/**
 * What normal traffic notices of admins who flag a request each at once. The measure is the same number of requests at once that
 * nobody has flagged: any server notices those. Then a worker replays them, on this same machine.
 */
async function atOnce (server: LocalServer): Promise<void> {
  const site = await Site.open(server)
  const client = fork(fileURLToPath(new URL('./traffic.js', import.meta.url)))
  const traffic = async (work: () => Promise<unknown> = async () => {}): Promise<number[]> => {
    client.send({ url: `${site.address}/normal`, milliseconds: WINDOW })
    const [[latencies]] = await Promise.all([once(client, 'message'), delay(WINDOW / 4).then(work)])
    return latencies as number[]
  }
  const each = async <Answer>(ask: (index: number) => Promise<Answer>) => Promise.all(Array.from({ length: ADMINS }, async (_, index) => ask(index)))
  try {
    // What the server has to hold is made at the first use, and code is compiled.
    let ids = [await site.flag('/fine?first')]
    await each(async index => site.ask(`/normal?${index}`))
    await traffic()
    const rounds: Array<Record<'idle' | 'unflagged' | 'flagged', number>> = []
    for (let round = 0; round < ROUNDS; round++) {
      // All but the last are taken by a worker without an app.
      const worker = await idleWorker(server, site.name)
      await until(() => worker.ran.length === ids.length, 'the queue is empty')
      await worker.close()
      const idle = p99(await traffic())
      const unflagged = p99(await traffic(async () => each(async index => site.ask(`/normal?${index}`))))
      let took = 0
      const flagged = p99(await traffic(async () => {
        const sent = performance.now()
        ids = await each(async index => site.flag(`/fine?${round}.${index}`, `ensign ${index}`))
        took = performance.now() - sent
      }))
      console.log(`${kind}: p99 of normal traffic: idle ${idle.toFixed(2)} ms, ${ADMINS} requests at once ${unflagged.toFixed(2)} ms, ${ADMINS} flagged ones ${flagged.toFixed(2)} ms, all queued within ${Math.round(took)} ms`)
      rounds.push({ idle, unflagged, flagged })
    }
    const ratio = (of: 'unflagged' | 'flagged', to: 'idle' | 'unflagged') => quantile(rounds.map(round => round[of] / round[to]), 0.5).toFixed(2)
    console.log(`${kind}: flagged ${ratio('flagged', 'idle')} times idle, unflagged ${ratio('unflagged', 'idle')} times idle, flagged ${ratio('flagged', 'unflagged')} times unflagged (medians of ${ROUNDS})`)

    const begun = performance.now()
    const { child } = await site.startWorker()
    const beside = p99(await traffic())
    setPriority(child.pid!, 19)
    const polite = p99(await traffic())
    console.log(`${kind}: p99 while a worker replays on the same machine ${beside.toFixed(2)} ms, one of low priority ${polite.toFixed(2)} ms`)
    for (const id of ids) await site.state(id, 'done')
    const runs = site.runs().map(({ url }) => url)
    console.log(`${kind}: ${runs.length} ran, ${new Set(runs).size} of them different, after ${Math.round((performance.now() - begun) / 1000)} s`)
  } finally {
    client.kill()
    await site.end()
  }
}

function p99 (latencies: readonly number[]): number {
  return quantile(latencies, 0.99)
}

/** Replays that end at once, without an app, as a worker and a web process look after them. */
async function inARow (server: LocalServer): Promise<void> {
  const name = 'row'
  const { url } = server
  const web = await Replays.open({ url, name, secret: SECRET, role: 'worker', maxOpenPerAdmin: FINISHED })
  const worker = await idleWorker(server, name, 16)
  const seen: Array<Record<string, number>> = []
  try {
    await web.forget()
    for (let count = 0; count < FINISHED;) {
      const results = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, FINISHED - count) }, async () => web.submit(get('/fine'))))
      const before = count
      // What is too late for its deadline is not queued.
      count += results.filter(({ status }) => status === 'fulfilled').length
      await until(() => worker.ran.length >= count - AT_ONCE, 'the worker keeps up', 120_000)
      if (Math.floor(before / (FINISHED / 5)) === Math.floor(count / (FINISHED / 5))) continue
      await until(() => worker.ran.length === count, `${count} are finished`, 120_000)
      // As if half a minute had passed: what a worker had until just now is not forgotten.
      await endLeases(server, name)
      await web.forget()
      const figures = { 'keys or rows': await entries(server, name), ...holdings(process.pid) }
      seen.push(figures)
      console.log(`${kind}: ${count} finished: ${Object.entries(figures).map(([name, figure]) => `${name} ${figure}`).join(', ')}`)
    }
    tellWhatGrew(seen)
  } finally {
    await worker.close()
    await web.close()
  }
}
