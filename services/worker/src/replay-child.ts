import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '@geordi/profile'
import { REPLAY_VARIABLE, type CapturedRequest } from '@geordi/replay'
import type { AppEntry } from './app-entry.ts'
import { isMessage, type ToChild, type ToParent } from './child/messages.ts'
import { WorkerError } from './errors.ts'
import { OutputTail } from './output-tail.ts'
import { sendRequest } from './send-request.ts'

export interface ReplayChildOptions {
  readonly app: AppEntry
  /** Milliseconds that the app has to listen. */
  readonly startTimeout: number
  /** Microseconds between samples. */
  readonly interval: number
  /** Milliseconds that the app has to close after its replay, before it is killed. */
  readonly closeTimeout: number
  /** Where the app's own output goes. */
  readonly output: NodeJS.WritableStream
}

/** What a replay gave. */
export interface ReplayOutcome {
  /** The `.cpuprofile` file, with what was run in it. It is gone when the replay process is closed. */
  readonly file: string
  readonly run: Run
}

const PRELOAD = new URL('./child/preload.js', import.meta.url).href

/**
 * A process that runs the user's app for one replay. Started ahead, it waits as a spare; after its one
 * request it is done.
 */
export class ReplayChild {
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #options: ReplayChildOptions
  readonly #tail: OutputTail
  #death: WorkerError | undefined
  #listening: Extract<ToParent, { geordi: 'listening' }> | undefined
  #waiting: { geordi: ToParent['geordi'], resolve: (message: ToParent) => void, reject: (error: Error) => void } | undefined

  private constructor (child: ChildProcess, folder: string, options: ReplayChildOptions) {
    this.#child = child
    this.#folder = folder
    this.#options = options
    this.#tail = new OutputTail(child, options.output)
    this.ended = new Promise(resolve => child.once('close', (code, signal) => {
      this.#died(code, signal)
      rm(folder, { recursive: true, force: true }).catch(() => {}).finally(resolve)
    }))
    child.on('error', error => this.#settle(new WorkerError('GEORDI_APP_START', `The replay process can't be started: ${error.message}`, { cause: error })))
    child.on('message', message => { if (isMessage<ToParent>(message)) this.#receive(message) })
  }

  /**
   * Starts the app and waits until it listens.
   * @throws WorkerError `GEORDI_APP_START` with the app's last output, `GEORDI_APP_UNKNOWN_KIND`
   */
  static async start (options: ReplayChildOptions): Promise<ReplayChild> {
    // mkdtemp makes the folder private (0700): profile and socket are nobody else's business.
    const folder = await mkdtemp(join(tmpdir(), 'geordi-replay-'))
    const { app } = options
    const child = fork(app.file, app.args, {
      execArgv: [...process.execArgv, ...app.execArgv, '--import', PRELOAD],
      env: { ...process.env, [REPLAY_VARIABLE]: '1', GEORDI_REPLAY_FOLDER: folder, GEORDI_REPLAY_PARENT: String(process.pid) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in a terminal goes to the whole process group; the worker decides when its children end.
      detached: true
    })
    const self = new ReplayChild(child, folder, options)
    try {
      self.#listening = await self.#expect('listening', options.startTimeout)
    } catch (error) {
      self.kill()
      throw error
    }
    return self
  }

  /** Whether the process can still take its request. */
  get alive (): boolean {
    return this.#death === undefined
  }

  /** Brings the process to the brink: the profiler runs, the next request is the one. */
  async prepare (request: CapturedRequest): Promise<void> {
    const { body, ...head } = request
    this.#tell({ geordi: 'prepare', request: head, interval: this.#options.interval })
    await this.#expect('prepared')
  }

  /**
   * Sends the request and waits for the end of the answer, however long it takes.
   * @throws WorkerError `GEORDI_REPLAY_DIED`, `GEORDI_REPLAY_BROKEN`
   */
  async replay (request: CapturedRequest): Promise<ReplayOutcome> {
    const { socketPath, protocol } = this.#listening!
    const abort = new AbortController()
    this.#child.once('close', () => abort.abort())
    let response
    try {
      response = await sendRequest(request, { socketPath, protocol, signal: abort.signal })
    } catch (cause) {
      // A process that dies breaks the connection first; its end says more.
      await Promise.race([this.ended, new Promise(resolve => setTimeout(resolve, 500))])
      throw this.#death ?? new WorkerError('GEORDI_REPLAY_BROKEN', `The app broke the connection off without a complete answer (${(cause as Error).message}).${this.#tail.quote()}`, { cause })
    }
    const file = join(this.#folder, 'profile.cpuprofile')
    this.#tell({ geordi: 'finish', file, response })
    const { run } = await this.#expect('finished')
    return { file, run }
  }

  /** Lets the app end by itself within its time, then kills it. Resolves when it is gone, with its files. */
  async close (): Promise<void> {
    if (this.alive) {
      this.#tell({ geordi: 'close' })
      const timer = setTimeout(() => this.kill(), this.#options.closeTimeout)
      await this.ended
      clearTimeout(timer)
    }
    await this.ended
  }

  /** Ends the process at once: the only way that works in every state it can be in. */
  kill (): void {
    this.#child.kill('SIGKILL')
  }

  #tell (message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  async #expect<Kind extends ToParent['geordi']> (geordi: Kind, timeout?: number): Promise<Extract<ToParent, { geordi: Kind }>> {
    if (this.#death !== undefined) throw this.#death
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<ToParent>((resolve, reject) => {
        this.#waiting = { geordi, resolve, reject }
        if (timeout === undefined) return
        timer = setTimeout(() => reject(new WorkerError('GEORDI_APP_START',
          `The app did not call listen() within ${timeout / 1000} s. Raise --start-timeout if it needs longer.${this.#tail.quote()}`)), timeout)
      }) as Extract<ToParent, { geordi: Kind }>
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  #receive (message: ToParent): void {
    if (message.geordi === 'failed') {
      this.#settle(Object.assign(new WorkerError('GEORDI_APP_START', message.message), { code: message.code.startsWith('GEORDI_') ? message.code : 'GEORDI_APP_START' }))
    } else if (message.geordi === this.#waiting?.geordi) {
      this.#waiting.resolve(message)
    }
  }

  #died (code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`
    this.#death = this.#listening === undefined
      ? new WorkerError('GEORDI_APP_START', `The app ended ${how} before it called listen().${this.#tail.quote()}`)
      : new WorkerError('GEORDI_REPLAY_DIED', `The replay process ended ${how} before the request did.${this.#tail.quote()}`)
    this.#settle(this.#death)
  }

  #settle (error: Error): void {
    this.#waiting?.reject(error)
  }
}
