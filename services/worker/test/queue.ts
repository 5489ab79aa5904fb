import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before } from 'node:test'
import { openBackend, Replays, type CapturedRequest, type Replay } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { CLI, Output, fixture, replayFolders, temporary, until } from './support.ts'

export const SECRET = 'a secret of at least 32 characters'
/** Milliseconds that a web process waits for a server that is there: a loaded machine answers when it can. */
const PATIENCE = 30_000

let server: LocalServer
const opened: Array<{ close (): Promise<void> }> = []
const commands: Command[] = []
let count = 0

/**
 * For a test file that needs a queue server: one for the file, of the kind that this machine has. What a test has started
 * ends with it, also when it fails: the next one finds nothing of it.
 */
export function withQueueServer (): void {
  before(async () => { server = await startLocalServer() })
  afterEach(async () => {
    await Promise.all(commands.splice(0).map(command => command.kill()))
    await Promise.all(opened.splice(0).map(one => one.close()))
    await until(() => replayFolders().length === 0, 'nothing is left of the test\'s replay processes')
  })
  after(() => server?.stop())
}

export interface Command {
  readonly child: ChildProcess
  readonly stdout: Output
  readonly stderr: Output
  /** Exit code, or signal. */
  readonly ended: Promise<number | NodeJS.Signals>
  kill (): Promise<void>
}

/** Runs `geordi` with arguments. */
export function geordi (args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  const child = fork(CLI, args, { execArgv: [], env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const [stdout, stderr] = [new Output(), new Output()]
  child.stdout!.pipe(stdout)
  child.stderr!.pipe(stderr)
  const ended = new Promise<number | NodeJS.Signals>(resolve => child.once('close', (code, signal) => resolve(signal ?? code!)))
  const command = {
    child,
    stdout,
    stderr,
    ended,
    async kill () {
      child.kill('SIGKILL')
      await ended
    }
  }
  commands.push(command)
  return command
}

/** One app's queue, from the web process's side, with the files that the app `queued.js` counts in. */
export class Scene {
  readonly name = `w${process.pid}_${count++}`
  readonly folder = mkdtempSync(join(temporary, 'scene-'))
  readonly url: string
  readonly kind: LocalServer['kind']
  readonly env: { readonly TEST_RUNS: string, readonly TEST_GATE: string, readonly GEORDI_SECRET: string, readonly GEORDI_QUEUE_URL: string }
  replays!: Replays

  private constructor ({ url, kind }: LocalServer) {
    this.url = url
    this.kind = kind
    this.env = { TEST_RUNS: join(this.folder, 'runs'), TEST_GATE: join(this.folder, 'gate'), GEORDI_SECRET: SECRET, GEORDI_QUEUE_URL: url }
  }

  /** @param on The queue server; the file's own unless given. */
  static async open (on = server): Promise<Scene> {
    const scene = new Scene(on)
    scene.replays = await Replays.open({ url: scene.url, name: scene.name, secret: SECRET, role: 'web', timeout: PATIENCE })
    opened.push(scene.replays)
    return scene
  }

  /** `geordi worker` on this queue, when it is ready and its first spare has told its pid. */
  async worker (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Command> {
    const command = geordi(['worker', fixture('queued.js'), '--queue-name', this.name, ...args], { ...this.env, ...env })
    const early = command.ended.then(code => { throw new Error(`the worker ended with ${code}: ${command.stderr.text}`) })
    const ready = () => command.stdout.text.includes('geordi worker ready') && command.stderr.told('pid').length > 0
    await Promise.race([until(ready, 'the worker is ready'), early])
    early.catch(() => {})
    return command
  }

  /** The handler's runs by the name in their query; a line that is still under way is not one. */
  runs (): Array<{ pid: number, name: string }> {
    if (!existsSync(this.env.TEST_RUNS)) return []
    return readFileSync(this.env.TEST_RUNS, 'utf8').split('\n').slice(0, -1).map(line => line.split(' ')).map(([pid, name]) => ({ pid: Number(pid), name: name! }))
  }

  openGate (): void {
    writeFileSync(this.env.TEST_GATE, '')
  }

  /** As if the worker that has this replay had given no sign of life for long. */
  async lose (id: string): Promise<Replay> {
    const backend = await openBackend({ url: this.url, name: this.name, role: 'web', timeout: PATIENCE })
    try {
      await backend.store.lease(id, 1)
      return await this.state(id, 'lost')
    } finally {
      await backend.close()
    }
  }

  /** Queues a request; on a busy machine the web process's deadline can pass, and what missed it never runs. */
  async submit (request: CapturedRequest): Promise<Replay> {
    return this.#answered(() => this.replays.submit(request), () => true, 'it is queued')
  }

  async find (id: string): Promise<Replay> {
    return this.#answered(() => this.replays.find(id), () => true, 'it is found')
  }

  async state (id: string, state: Replay['state']): Promise<Replay> {
    return this.#answered(() => this.replays.find(id), replay => replay.state === state, `replay is ${state}`)
  }

  /** What the queue server answers in time, once it is as wanted. */
  async #answered (ask: () => Promise<Replay | null>, wanted: (replay: Replay) => boolean, what: string): Promise<Replay> {
    let answer: Replay | null = null
    await until(async () => {
      answer = await ask().catch(error => {
        if (error.code === 'GEORDI_QUEUE_UNAVAILABLE') return null
        throw error
      })
      return answer !== null && wanted(answer)
    }, what)
    return answer!
  }
}
