/**
 * Many replays at once, and many in a row: `npm run load -w @geordi/worker -- [redis|postgres] [ADMINS] [FINISHED]`; with the 200
 * and 10,000 that it takes unless told otherwise some six minutes.
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Replays } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { endLeases, idleWorker, Site } from '../test/faults-support.ts'
import { SECRET } from '../test/queue.ts'
import { get, until } from '../test/support.ts'
import { entries, holdings, quantile, tellWhatGrew } from './figures.ts'
import type { Asked } from './traffic.ts'

const kind = process.argv[2] === 'postgres' ? 'postgres' : 'redis'
const ADMINS = Number(process.argv[3] ?? 200)
const FINISHED = Number(process.argv[4] ?? 10_000)
/** Milliseconds that normal traffic is measured for, at a time. */
const WINDOW = 6000
/** How often each way of being busy is measured. */
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
 * What normal traffic notices of admins who flag a request each at once, whose pages then follow while a worker replays them. The
 * measure beside that of an idle time is the same number of requests at once that nobody has flagged: any server notices those.
 */
async function atOnce (server: LocalServer): Promise<void> {
  const site = await Site.open(server)
  const client = fork(fileURLToPath(new URL('./traffic.js', import.meta.url)))
  const isApart = setApart(site.processes().web, client.pid!)
  console.log(isApart
    ? `${kind}: the web process has a processor to itself, and it and the client go first on theirs`
    : `${kind}: the web process shares its processors with all else, and that is measured too: with the rights for taskset and chrt (Linux, root) it has one to itself`)
  const traffic = async (work: () => Promise<unknown> = async () => {}): Promise<Window> => {
    client.send({ url: `${site.address}/normal`, milliseconds: WINDOW })
    const worked = async () => {
      await delay(WINDOW / 4)
      const since = Date.now()
      await work()
      return { since, until: Date.now() }
    }
    const [[all], busy] = await Promise.all([once(client, 'message'), worked()])
    return { all, ...busy }
  }
  const each = async <Answer>(ask: (index: number) => Promise<Answer>) => Promise.all(Array.from({ length: ADMINS }, async (_, index) => ask(index)))
  try {
    let ids = [await site.flag('/fine?first')]
    const windows: Record<'idle' | 'unflagged' | 'flagged', Window[]> = { idle: [], unflagged: [], flagged: [] }
    // In the first round what the server has to hold is made, and code is compiled.
    for (let round = 0; round <= ROUNDS; round++) {
      // All but the last are taken by a worker without an app.
      const worker = await idleWorker(server, site.name)
      await until(() => worker.ran.length === ids.length, 'the queue is empty')
      await worker.close()
      const idle = await traffic()
      const unflagged = await traffic(async () => each(async index => site.ask(`/normal?${index}`)))
      const flagged = await traffic(async () => { ids = await each(async index => site.flag(`/fine?${round}.${index}`, `ensign ${index}`)) })
      if (round === 0) continue
      for (const [name, window] of Object.entries({ idle, unflagged, flagged })) windows[name as keyof typeof windows].push(window)
    }
    tell('idle', windows.idle, windows.idle)
    tell(`${ADMINS} requests at once`, windows.unflagged, windows.idle)
    tell(`${ADMINS} flagged requests at once`, windows.flagged, windows.idle)

    const begun = performance.now()
    const following = new AbortController()
    const follow = async (id: string) => {
      await delay(1000 * Math.random())
      while (!following.signal.aborted) await Promise.all([site.ask(`/__geordi__/${id}`, 'text/html'), delay(1000)])
    }
    const followers = Promise.all(ids.map(follow))
    followers.catch(() => {})
    const { child } = await site.startWorker()
    const several = async () => {
      const windows: Window[] = []
      for (let round = 0; round < ROUNDS; round++) windows.push(await traffic())
      return windows
    }
    // The first pages are what code is compiled for.
    await traffic()
    tell(`a worker replays on the other processors, and ${ADMINS} pages follow`, await several(), windows.idle)
    setPriority(child.pid!, 19)
    tell('the same by a worker of low priority', await several(), windows.idle)
    following.abort()
    await followers
    for (const id of ids) await site.state(id, 'done')
    const runs = site.runs().map(({ url }) => url)
    console.log(`${kind}: ${runs.length} ran, ${new Set(runs).size} of them different, after ${Math.round((performance.now() - begun) / 1000)} s`)
  } finally {
    client.kill()
    await site.end()
  }
}

/** Normal traffic, and from when to when something else was done beside it. */
interface Window {
  readonly all: readonly Asked[]
  readonly since: number
  readonly until: number
}

function tell (what: string, windows: readonly Window[], idle: readonly Window[]): void {
  const p99 = (windows: readonly Window[]) => quantile(windows.flatMap(({ all }) => all.map(({ took }) => took)), 0.99)
  const within = windows.flatMap(({ all, since, until }) => all.filter(({ at }) => at >= since && at < until).map(({ took }) => took))
  const meanwhile = within.length < 10 ? '' : `; in the ${Math.round(windows.reduce((sum, { since, until }) => sum + until - since, 0) / windows.length)} ms that they took: median ${quantile(within, 0.5).toFixed(2)} ms, p99 ${quantile(within, 0.99).toFixed(2)} ms`
  console.log(`${kind}: ${what}: p99 of normal traffic ${p99(windows).toFixed(2)} ms, ${(p99(windows) / p99(idle)).toFixed(2)} times idle${meanwhile}`)
}

/**
 * Gives the web process a processor to itself, as it has where nothing but the app runs, and lets it and the client that measures go before all else on theirs: what is
 * measured is what the web process does, and not who has to wait for a processor.
 * @returns whether that could be done
 */
function setApart (web: number, client: number): boolean {
  const [first, ...others] = Array.from({ length: availableParallelism() }, (_, processor) => processor)
  if (others.length === 0) return false
  const run = (command: string, ...args: Array<string | number>) => spawnSync(command, args.map(String)).status === 0
  const isPinned = [client, process.pid].every(pid => run('taskset', '-apc', others.join(), pid)) && run('taskset', '-apc', first!, web)
  // Their main threads only (`-R` keeps it from threads to come): of V8's own, some wait for others by spinning.
  return isPinned && [web, client].every(pid => run('chrt', '-R', '-f', '-p', 10, pid))
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
