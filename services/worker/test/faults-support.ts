import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { openBackend, Replays, type Replay } from '@geordi/replay'
import { findRedisServer, startLocalServer, type LocalServer } from '@geordi/replay/local'
import { geordi, SECRET, type Command } from './queue.ts'
import { fixture, isAlive, replayFolders, temporary, until } from './support.ts'

const APP = fixture('faulty.js')
/** Who asks, in the header that the app knows its admins by. */
const ADMIN = 'picard'

/** A machine that is busy with something else needs so many milliseconds for a replay that takes one second. */
const LONG = 120_000

/** The same suite on a queue server of each kind, which is started for it. */
export function onEachServer (what: string, suite: (server: () => LocalServer) => void): void {
  for (const kind of ['redis', 'postgres'] as const) {
    const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'
    describe(`${what}, with the queue in ${kind}`, { skip }, () => {
      let server: LocalServer
      before(async () => { server = await startLocalServer({ kind }) })
      after(() => server?.stop())
      suite(() => server)
    })
  }
}

const sites: Site[] = []
/** In each suite that has sites: what a test has started ends with it, also when it fails, and nothing is left of it. */
export function sitesEndWithTests (): void {
  afterEach(async () => {
    const ended = sites.splice(0)
    await Promise.all(ended.map(site => site.end()))
    await until(() => replayFolders().length === 0, 'nothing is left of the replay processes').catch((error: Error) => {
      throw new Error(`${error.message}: ${replayFolders().map(name => `${name} with ${readdirSync(join(temporary, name))}`)}`)
    })
    for (const site of ended) for (const pid of site.pids()) await until(async () => !await isAlive(pid), `process ${pid} is gone`)
  })
}

/** An app with geordi as it is run in production: web processes, workers and a queue, each of which a test can break. */
export class Site {
  static #count = 0
  readonly name = `f${process.pid}_${Site.#count++}`
  readonly env: NodeJS.ProcessEnv & { readonly TEST_RUNS: string, readonly TEST_GATES: string }
  readonly #commands: Command[] = []
  #web: ChildProcess | undefined
  #port = 0

  readonly #server: LocalServer

  private constructor (server: LocalServer) {
    this.#server = server
    const { url } = server
    const folder = mkdtempSync(join(temporary, 'site-'))
    this.env = { TEST_RUNS: join(folder, 'runs'), TEST_GATES: join(folder, 'gates'), TEST_QUEUE: this.name, GEORDI_SECRET: SECRET, GEORDI_QUEUE_URL: url }
    mkdirSync(this.env.TEST_GATES)
  }

  /** Starts the web process; workers are the test's to start. */
  static async open (server: LocalServer, env: NodeJS.ProcessEnv = {}): Promise<Site> {
    const site = new Site(server)
    Object.assign(site.env, env)
    sites.push(site)
    await site.startWeb()
    return site
  }

  async startWeb (): Promise<void> {
    const web = fork(APP, { execArgv: [], env: { ...process.env, ...this.env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#web = web
    const early = once(web, 'exit').then(([code]) => { throw new Error(`the web process ended with ${code}`) })
    const [{ port }] = await Promise.race([once(web, 'message'), early]) as [{ port: number }]
    early.catch(() => {})
    this.#port = port
  }

  get address (): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async killWeb (): Promise<void> {
    await kill(this.#web)
  }

  /** `geordi worker` with the app, once it is ready and its first spare is up. */
  async startWorker (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}, entry = APP): Promise<Command> {
    const command = geordi(['worker', entry, '--queue-name', this.name, ...args], { ...this.env, ...env })
    this.#commands.push(command)
    const early = command.ended.then(code => { throw new Error(`the worker ended with ${code}: ${command.stderr.text}`) })
    const ready = () => command.stdout.text.includes('geordi worker ready') && command.stderr.told('pid').length > 0
    await Promise.race([until(ready, 'the worker is ready'), early])
    early.catch(() => {})
    return command
  }

  /** Opens a gate that the app looks at. */
  openGate (gate: string): void {
    writeFileSync(join(this.env.TEST_GATES, gate), '')
  }

  closeGate (gate: string): void {
    rmSync(join(this.env.TEST_GATES, gate))
  }

  /** Waits until the handler runs for a URL, and gives its process. */
  async running (url: string): Promise<number> {
    const run = () => this.runs().find(run => run.url === url)
    await until(() => run() !== undefined, `${url} runs`, LONG)
    return run()!.pid
  }

  /** As if the worker that has this replay had given no sign of life for long. */
  async lose (id: string): Promise<Replay> {
    const backend = await openBackend({ url: this.#server.url, name: this.name, role: 'worker' })
    try {
      await backend.store.lease(id, 1)
    } finally {
      await backend.close()
    }
    return this.state(id, 'lost')
  }

  /** The handler's runs: by which process, and with which URL; a line that is still under way is not one. */
  runs (): Array<{ pid: number, url: string }> {
    if (!existsSync(this.env.TEST_RUNS)) return []
    return readFileSync(this.env.TEST_RUNS, 'utf8').split('\n').slice(0, -1).map(line => line.split(' ')).map(([pid, url]) => ({ pid: Number(pid), url: url! }))
  }

  /** Processes that ran the app for the workers. */
  pids (): number[] {
    return this.#commands.flatMap(({ stderr }) => stderr.told<number>('pid'))
  }

  /** What a web process answers an admin. */
  async ask (path: string, accept = 'application/json', { by = ADMIN, signal }: { by?: string, signal?: AbortSignal } = {}): Promise<{ status: number, text: string }> {
    const init = signal === undefined ? {} : { signal }
    const answer = await fetch(`${this.address}${path}`, { headers: { accept, 'x-admin': by }, redirect: 'manual', ...init })
    return { status: answer.status, text: await answer.text() }
  }

  /** Has a request profiled, and gives the replay's id. On a busy machine the queue server can miss its deadline; then nothing is queued. */
  async flag (path: string, by = ADMIN): Promise<string> {
    return (JSON.parse(await this.#answer(`${path}${path.includes('?') ? '&' : '?'}__geordi__`, 'application/json', 202, by)) as Replay).id
  }

  /** The web process, and those of the workers. */
  processes (): { web: number, workers: number[] } {
    return { web: this.#web!.pid!, workers: this.#commands.filter(({ child }) => child.exitCode === null && child.signalCode === null).map(({ child }) => child.pid!) }
  }

  /** Waits until the replay is as wanted. */
  async state (id: string, ...states: Array<Replay['state']>): Promise<Replay> {
    let replay: Replay | undefined
    await until(async () => {
      replay = await this.look(id)
      return states.includes(replay.state)
    }, `replay is ${states}`, LONG).catch((error: Error) => assert.fail(`${error.message}: ${JSON.stringify(replay)}\n${this.said()}`))
    return replay!
  }

  async look (id: string): Promise<Replay> {
    return JSON.parse(await this.#answer(`/__geordi__/${id}`, 'application/json', 200)) as Replay
  }

  async artefact (id: string, name: string): Promise<Buffer> {
    const answer = await fetch(`${this.address}/__geordi__/${id}/${name}`, { headers: { 'x-admin': ADMIN } })
    assert.equal(answer.status, 200)
    return Buffer.from(await answer.arrayBuffer())
  }

  /** The words that the admin reads. */
  async page (id: string): Promise<string> {
    const html = await this.#answer(`/__geordi__/${id}`, 'text/html', 200)
    const body = html.slice(html.indexOf('<body>'))
    return body.replace(/<[^>]*>/g, ' ').replace(/&#(\d+);/g, (_entity, code) => String.fromCharCode(code)).replace(/\s+/g, ' ')
  }

  /** As a queue does that has forgotten that a job was taken: one that was restored from a backup. */
  async deliverAgain (id: string): Promise<void> {
    await onServer(this.#server, redis => redis.del(`bull:${this.name}:${id}`), client => client.query(`DELETE FROM ${this.name}_queue.job WHERE id = $1`, [id]))
    const backend = await openBackend({ url: this.#server.url, name: this.name, role: 'worker' })
    try {
      await backend.enqueue(id)
    } finally {
      await backend.close()
    }
    await until(() => this.said().includes(`Replay ${id} was started before`), 'it is refused')
  }

  /** What the workers have told their operator. */
  said (): string {
    return this.#commands.map(({ stdout, stderr }) => stdout.text + stderr.text).join('\n')
  }

  async end (): Promise<void> {
    await Promise.all([this.killWeb(), ...this.#commands.map(command => command.kill())])
  }

  async #answer (path: string, accept: string, wanted: number, by = ADMIN): Promise<string> {
    let answer = { status: 0, text: '' }
    await until(async () => {
      answer = await this.ask(path, accept, { by })
      if (answer.status !== 503) return true
      // As it asks for with Retry-After, not all at once.
      await delay(1000 * Math.random())
      return false
    }, `the queue server answers for ${path}`, LONG)
    assert.equal(answer.status, wanted, answer.text)
    return answer.text
  }
}

/** Works on the queue server itself, past the store. */
export async function onServer (server: LocalServer, redisWork: (redis: Redis) => Promise<unknown>, postgresWork: (client: pg.Client) => Promise<unknown>): Promise<void> {
  if (server.kind === 'redis') {
    const redis = new Redis(server.url)
    try {
      await redisWork(redis)
    } finally {
      redis.disconnect()
    }
    return
  }
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  try {
    await postgresWork(client)
  } finally {
    await client.end()
  }
}

/** A worker without an app: says of each replay that it is done. */
export interface IdleWorker {
  /** The ids of those that it ran. */
  readonly ran: readonly string[]
  close (): Promise<void>
}

export async function idleWorker ({ url }: LocalServer, name: string, concurrency = 4): Promise<IdleWorker> {
  const replays = await Replays.open({ url, name, secret: SECRET, role: 'worker' })
  const ran: string[] = []
  const consumer = await replays.consume(async task => {
    await task.claim()
    await task.attach('report.pdf', Buffer.from('%PDF-'))
    await task.update({ state: 'done' })
    ran.push(task.id)
  }, { concurrency, onError: () => {} })
  return {
    ran,
    async close () {
      await consumer.close()
      await replays.close()
    }
  }
}

/** As if half a minute had passed: what a worker has had until just now is not forgotten. */
export async function endLeases (server: LocalServer, name: string): Promise<void> {
  await onServer(server, async redis => {
    const leases = await redis.keys(`${name}:lease:*`)
    if (leases.length > 0) await redis.del(leases)
  }, client => client.query(`UPDATE ${name}.replays SET leased_until = NULL`))
}

async function kill (child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
