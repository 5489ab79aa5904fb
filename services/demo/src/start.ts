/**
 * `npm start`: the queue's server, the database, the demo app and one worker, with what the machine has.
 *
 * Ctrl-C or SIGTERM ends them in order (app, worker, servers) with exit code 0; who can't wait presses it again, and the
 * third signal gives up with 130. If one of them dies, the others are ended, with exit code 1. If this process is killed in any way, all of them end.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ReplayError } from '@geordi/replay'
import { readListenSettings, SettingsError } from './settings.ts'
import { checkGivenServers } from './start/given-servers.ts'
import { openDataFolder, readSecrets } from './start/data-folder.ts'
import { browserUrl, claimPort } from './start/ports.ts'
import { forkProcess } from './start/running.ts'
import { startServers } from './start/servers.ts'
import { welcome } from './start/welcome.ts'
import type { Running } from './start/running.ts'

const appEntry = fileURLToPath(new URL('./server.js', import.meta.url))
const workerEntry = fileURLToPath(new URL('./cli.js', import.meta.resolve('@geordi/worker')))
const workerReady = 'geordi worker ready'

/** What runs; the last one started is the first one stopped. */
const running: Running[] = []
const closing = new AbortController()
let signals = 0
let starting: Promise<void> = Promise.resolve()

function close (exitCode: number, why?: string): void {
  if (closing.signal.aborted) return
  closing.abort()
  if (why !== undefined) console.error(`\ngeordi: ${why}`)
  // What is half started has to be whole before it can be stopped.
  starting.catch(() => {}).then(async () => {
    for (const { stop } of running.reverse()) await stop()
    process.exit(exitCode)
  })
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Not the second: a single Ctrl-C comes twice, from the terminal and again from npm, which hands on what it gets.
    if (++signals > 2) process.exit(130)
    close(0)
  })
}

/**
 * npm is killed with -9: nobody tells us, only our parent is another one then. Its id comes from before the installing
 * and building, during which it can be killed as well.
 */
function isOrphan (): boolean {
  const npm = process.env['GEORDI_STARTED_BY']
  return npm !== undefined && process.ppid !== Number(npm)
}
if (isOrphan()) process.exit(1)
setInterval(() => { if (isOrphan()) close(1) }, 500)

function watch (one: Running): void {
  running.push(one)
  one.ended.then(why => { if (why !== null) close(1, why) })
}

async function start (env: NodeJS.ProcessEnv): Promise<void> {
  const listen = readListenSettings(env)
  listen.port = await claimPort(listen)
  const folder = openDataFolder(env['GEORDI_DATA'])
  const secrets = readSecrets(folder)
  await checkGivenServers(env, env['GEORDI_SECRET'] ?? secrets.geordi)

  const servers = await startServers(env, folder)
  servers.started.forEach(watch)
  closing.signal.throwIfAborted()

  const childEnv: NodeJS.ProcessEnv = {
    LOG_LEVEL: 'warn',
    DOGSLOW_TIMER: '2000',
    GEORDI_SECRET: secrets.geordi,
    SESSION_SECRET: secrets.session,
    ...env,
    HOST: listen.host,
    PORT: String(listen.port),
    DATABASE_URL: servers.databaseUrl,
    GEORDI_QUEUE_URL: servers.queueUrl,
    CACHE_URL: servers.cacheUrl
  }
  const worker = forkProcess({ name: 'the worker', entry: workerEntry, args: ['worker', appEntry], env: childEnv, grace: 4_000, quiet: workerReady })
  watch(worker)
  const app = forkProcess({ name: 'the demo app', entry: appEntry, args: [], env: childEnv, grace: 2_000 })
  watch(app)

  const url = browserUrl(listen)
  await Promise.race([
    Promise.all([answers(`${url}/health`), worker.line(workerReady)]),
    new Promise((_resolve, reject) => closing.signal.addEventListener('abort', () => reject(closing.signal.reason)))
  ])
  console.log(welcome(url, servers.description))
}

async function answers (url: string): Promise<void> {
  while (!closing.signal.aborted) {
    const answer = await fetch(url).catch(() => null)
    if (answer?.ok) return
    await sleep(50)
  }
}

starting = start(process.env)
starting.catch((error: unknown) => {
  const forPeople = error instanceof SettingsError || error instanceof ReplayError
  close(1, forPeople ? error.message : error instanceof Error ? error.stack : String(error))
})
