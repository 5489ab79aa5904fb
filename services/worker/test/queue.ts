import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { Replays, type Replay } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'
import { CLI, Output, fixture, temporary, until } from './support.ts'

export const SECRET = 'a secret of at least 32 characters'

let server: LocalServer
const opened: Array<{ close (): Promise<void> }> = []
const commands: Command[] = []
let count = 0

/** For a test file that needs a queue server: one for the file, of the kind that this machine has. */
export function withQueueServer (): void {
  before(async () => { server = await startLocalServer() })
  after(async () => {
    for (const command of commands) await command.kill()
    for (const one of opened) await one.close()
    await server?.stop()
  })
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
  readonly env = { TEST_RUNS: join(this.folder, 'runs'), TEST_GATE: join(this.folder, 'gate'), GEORDI_SECRET: SECRET, GEORDI_QUEUE_URL: server.url }
  readonly url = server.url
  readonly kind = server.kind
  replays!: Replays

  static async open (): Promise<Scene> {
    const scene = new Scene()
    scene.replays = await Replays.open({ url: server.url, name: scene.name, secret: SECRET, role: 'web' })
    opened.push(scene.replays)
    return scene
  }

  /** `geordi worker` on this queue, when it is ready. */
  async worker (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Command> {
    const command = geordi(['worker', fixture('queued.js'), '--queue-name', this.name, ...args], { ...this.env, ...env })
    const early = command.ended.then(code => { throw new Error(`the worker ended with ${code}: ${command.stderr.text}`) })
    await Promise.race([until(() => command.stdout.text.includes('geordi worker ready'), 'the worker is ready'), early])
    early.catch(() => {})
    return command
  }

  /** The handler's runs by the name in their query. */
  runs (): Array<{ pid: number, name: string }> {
    if (!existsSync(this.env.TEST_RUNS)) return []
    return readFileSync(this.env.TEST_RUNS, 'utf8').trim().split('\n').map(line => line.split(' ')).map(([pid, name]) => ({ pid: Number(pid), name: name! }))
  }

  openGate (): void {
    writeFileSync(this.env.TEST_GATE, '')
  }

  async state (id: string, state: Replay['state']): Promise<Replay> {
    await until(async () => (await this.replays.find(id))?.state === state, `replay is ${state}`)
    return (await this.replays.find(id))!
  }
}
