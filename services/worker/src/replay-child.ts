import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { importCpuProfile, type Run } from '@geordi/profile'
import { REPLAY_VARIABLE, type CapturedRequest } from '@geordi/replay'
import { inheritedExecArgv, type AppEntry } from './app-entry.ts'
import { isMessage, PROFILE_FILE, type ToChild, type ToParent } from './child/messages.ts'
import { WorkerError } from './errors.ts'
import { OutputTail } from './output-tail.ts'
import { sendRequest, type Destination } from './send-request.ts'

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
  /** The `.cpuprofile` file's bytes, with what was run in it. */
  readonly profile: Buffer
  readonly run: Run
}

const PRELOAD = new URL('./child/preload.js', import.meta.url).href
/** A process that left its app's group can hold the app's output open; it is not waited for longer than this (in milliseconds). */
const OUTPUT_GRACE = 1000
/** A process that dies breaks its connection first; this long (in milliseconds) its end may take to be known. */
const DEATH_GRACE = 500
/** The longest path that a unix socket can have everywhere, less the name of ours in it. */
const LONGEST_FOLDER = 103 - '/geordi-replay-XXXXXXXX/99.sock'.length

/**
 * A process that runs the user's app for one replay. Started ahead, it waits as a spare; after its one
 * request it is done.
 */
export class ReplayChild {
  /** Resolves when the process has ended, however, and its files are gone. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #options: ReplayChildOptions
  readonly #tail: OutputTail
  #death: WorkerError | undefined
  #reading: Promise<unknown> = Promise.resolve()
  #partial: ReplayOutcome | undefined
  /** How far the replay is, which says what the process's end means. */
  #stage: 'none' | 'sent' | 'answered' | 'recorded' = 'none'
  #listening = false
  #destination: Omit<Destination, 'signal'> | undefined
  #waiting: { geordi: ToParent['geordi'], resolve: (message: ToParent) => void, reject: (error: Error) => void } | undefined

  private constructor (child: ChildProcess, folder: string, options: ReplayChildOptions) {
    this.#child = child
    this.#folder = folder
    this.#options = options
    this.#tail = new OutputTail(child, options.output)
    child.once('exit', () => {
      // What the app has forked ends with it.
      this.#killGroup()
      const timer = setTimeout(() => { for (const stream of [child.stdout, child.stderr]) stream?.destroy() }, OUTPUT_GRACE)
      child.once('close', () => clearTimeout(timer))
    })
    this.ended = new Promise(resolve => child.once('close', (code, signal) => {
      this.#died(code, signal)
      this.#salvage().then(() => rm(folder, { recursive: true, force: true })).catch(() => {}).finally(resolve)
    }))
    child.on('error', error => this.#settle(new WorkerError('GEORDI_APP_START', `The replay process can't be started: ${error.message}`, { cause: error })))
    child.on('message', message => { if (isMessage<ToParent>(message)) this.#receive(message) })
  }

  /**
   * Starts the app and waits until it listens. When it doesn't, its process has ended before this rejects.
   * @param signal Ends the process while it starts.
   * @throws WorkerError `GEORDI_APP_START`, `GEORDI_APP_UNKNOWN_KIND`, with the app's last output
   */
  static async start (options: ReplayChildOptions, signal?: AbortSignal): Promise<ReplayChild> {
    // The process makes the folder itself, as it removes it when it is orphaned: a worker that is killed just here leaves none.
    const folder = join(tmpdir().length > LONGEST_FOLDER ? '/tmp' : tmpdir(), `geordi-replay-${randomBytes(6).toString('base64url')}`)
    const { app } = options
    const child = fork(app.file, app.args, {
      execArgv: [...inheritedExecArgv(), ...app.execArgv, '--import', PRELOAD],
      env: { ...process.env, [REPLAY_VARIABLE]: '1', GEORDI_REPLAY_FOLDER: folder, GEORDI_REPLAY_PARENT: String(process.pid) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in a terminal goes to the whole process group; the worker decides when its children end.
      detached: true
    })
    const self = new ReplayChild(child, folder, options)
    const stop = () => self.kill()
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    try {
      await self.#expect('listening', options.startTimeout)
      self.#listening = true
      return self
    } catch (error) {
      self.kill()
      await self.ended
      throw self.#withOutput(error as WorkerError)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Whether the process can still take its request. */
  get alive (): boolean {
    return this.#death === undefined
  }

  /**
   * Brings the process to the brink: the profiler runs, the next request is the one.
   * @throws WorkerError `GEORDI_REPLAY_DIED`, `GEORDI_RECORDING_FAILED`
   */
  async prepare (request: CapturedRequest): Promise<void> {
    const { body, ...head } = request
    this.#tell({ geordi: 'prepare', request: head, interval: this.#options.interval })
    this.#destination = await this.#expect('prepared')
  }

  /**
   * What was recorded of a replay without an end, once {@link replay} has rejected: the app broke its answer off, or exited.
   * A process that was killed, or ran out of memory, leaves nothing.
   */
  get partial (): ReplayOutcome | undefined {
    return this.#partial
  }

  /**
   * Sends the request and waits for the end of the answer, however long it takes.
   * @throws WorkerError `GEORDI_REPLAY_DIED`, `GEORDI_REPLAY_BROKEN`, `GEORDI_RECORDING_FAILED`
   */
  async replay (request: CapturedRequest): Promise<ReplayOutcome> {
    const abort = new AbortController()
    this.#child.once('close', () => abort.abort())
    this.#stage = 'sent'
    try {
      const response = await sendRequest(request, { ...this.#destination!, signal: abort.signal }).catch(cause => this.#broken(cause))
      this.#stage = 'answered'
      return await this.#finish({ response })
    } catch (error) {
      // What a process has left behind is read at its end.
      if (this.#death !== undefined) await this.ended
      throw error
    }
  }

  /** No complete answer: because the process dies, or because the app broke it off and goes on. */
  async #broken (cause: Error): Promise<never> {
    await Promise.race([this.ended, delay(DEATH_GRACE, undefined, { ref: false })])
    if (this.#death !== undefined) throw this.#death
    // The app goes on, and may do so for ever.
    this.#partial = await Promise.race([
      this.#finish({ ended: 'the app broke the connection off' }).catch(() => undefined),
      delay(this.#options.closeTimeout, undefined, { ref: false })
    ])
    if (this.#death !== undefined) throw this.#death
    throw this.#withOutput(new WorkerError('GEORDI_REPLAY_BROKEN', `The app broke the connection off without a complete answer (${cause.message}).`, { cause }))
  }

  async #finish (outcome: Pick<Run, 'response' | 'ended'>): Promise<ReplayOutcome> {
    this.#tell({ geordi: 'finish', outcome })
    const { run } = await this.#expect('finished')
    this.#stage = 'recorded'
    // What the handler has left behind can end the process from here on, and its files with it.
    const reading = readFile(join(this.#folder, PROFILE_FILE))
    this.#reading = reading.catch(() => {})
    return { profile: await reading, run }
  }

  /** Takes what is still wanted of the process's files. */
  async #salvage (): Promise<void> {
    await this.#reading
    if (this.#stage !== 'sent' && this.#stage !== 'answered') return
    try {
      const profile = await readFile(join(this.#folder, PROFILE_FILE))
      this.#partial = { profile, run: importCpuProfile(profile).run }
    } catch {
      // It was killed, or could not write.
    }
  }

  /** Lets the app end by itself within its time, then kills it. Resolves when it is gone, with its files. */
  async close (): Promise<void> {
    this.#tell({ geordi: 'close' })
    const timer = setTimeout(() => this.kill(), this.#options.closeTimeout)
    await this.ended
    clearTimeout(timer)
  }

  /** Ends the process and what it has forked at once: the only way that works in every state it can be in. */
  kill (): void {
    // Once it has ended, its id may be another process's.
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#killGroup()
  }

  /** `detached` made the process the leader of a group of its own. */
  #killGroup (): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // None of the group is left.
    }
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
          `The app did not call listen() within ${timeout / 1000} s. Raise --start-timeout if it needs longer.`)), timeout)
      }) as Extract<ToParent, { geordi: Kind }>
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  #receive (message: ToParent): void {
    if (message.geordi === 'failed') {
      this.#settle(this.#failure(message))
    } else if (message.geordi === this.#waiting?.geordi) {
      this.#waiting.resolve(message)
    }
  }

  #failure ({ code, message }: Extract<ToParent, { geordi: 'failed' }>): WorkerError {
    if (this.#listening) return new WorkerError('GEORDI_RECORDING_FAILED', `The replay could not be recorded: ${message}`)
    return code === 'GEORDI_APP_UNKNOWN_KIND'
      ? new WorkerError(code, message)
      : new WorkerError('GEORDI_APP_START', `The app did not start: ${message}`)
  }

  #died (code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`
    const when = this.#stage === 'answered' ? 'right after its answer' : 'before the request did'
    this.#death = this.#listening
      ? this.#withOutput(new WorkerError('GEORDI_REPLAY_DIED', `The replay process ended ${how} ${when}.`))
      : new WorkerError('GEORDI_APP_START', `The app ended ${how} before it called listen().`)
    this.#settle(this.#death)
  }

  #withOutput (error: WorkerError): WorkerError {
    error.output = this.#tail.text
    return error
  }

  #settle (error: Error): void {
    this.#waiting?.reject(error)
  }
}
