import { fork, type ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Run } from '@geordi/profile'
import { REPLAY_VARIABLE, type CapturedRequest } from '@geordi/replay'
import { inheritedExecArgv, type AppEntry } from './app-entry.ts'
import { askToKeep } from './ask-to-keep.ts'
import { assemble, type ReplayOutcome } from './assemble.ts'
import { longestText } from './body-text.ts'
import { isMessage, type ToChild, type ToParent } from './child/messages.ts'
import { WorkerError } from './errors.ts'
import { OutputTail } from './output-tail.ts'
import { newReplayFolder } from './replay-folder.ts'
import { sendRequest, type Destination } from './send-request.ts'

export interface ReplayChildOptions {
  readonly app: AppEntry
  /** Milliseconds that the app has to listen. */
  readonly startTimeout: number
  /** Microseconds between samples. */
  readonly interval: number
  /** Whether waits are recorded. */
  readonly waits: boolean
  /** Whether the values of the longest waits are. */
  readonly values: boolean
  /** The largest heap that the process may have, in megabytes. @defaultValue Node's own, by the machine's memory */
  readonly heapLimit?: number | undefined
  /** Milliseconds that the app has to close after its replay, before it is killed. */
  readonly closeTimeout: number
  /** Where the app's own output goes. */
  readonly output: NodeJS.WritableStream
}

/**
 * V8 interprets a regular expression until its second use, and its profiler tells interpreted ones as their caller's own time. Here the request's use may be
 * the first; in a web process that has run for a while none is. As an argument: V8 may crash when a flag changes after its start, says Node's
 * documentation of `setFlagsFromString`, and a start with a loader's thread beside it did.
 */
const COMPILE_REGEXES = '--no-regexp-tier-up'
const PRELOAD = new URL('./child/preload.js', import.meta.url).href
/** A process that left its app's group can hold the app's output open; it is not waited for longer than this (in milliseconds). */
const OUTPUT_GRACE = 1000
/** A process that dies breaks its connection first; this long (in milliseconds) its end may take to be known. */
const DEATH_GRACE = 500
/** Milliseconds that a process has to write what it has recorded, before it is killed or a snapshot shows what was written before. */
const KEEP_LIMIT = 3000

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
  readonly #startedAt = Date.now()
  #app: string | undefined
  #death: Error | undefined
  #reading: Promise<unknown> = Promise.resolve()
  #partial: ReplayOutcome | undefined
  /** Why the replay was ended from here. */
  #reason: Error | undefined
  /** In the words of `Run.ended`. */
  #ended = ''
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
    const folder = newReplayFolder()
    const { app } = options
    const child = fork(app.file, app.args, {
      execArgv: [...inheritedExecArgv(), ...app.execArgv, ...heapArguments(options), COMPILE_REGEXES, '--import', PRELOAD],
      env: { ...process.env, [REPLAY_VARIABLE]: '1', GEORDI_REPLAY_FOLDER: folder, GEORDI_REPLAY_PARENT: String(process.pid), GEORDI_REPLAY_WAITS: String(options.waits) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in a terminal goes to the whole process group; the worker decides when its children end.
      detached: true
    })
    const self = new ReplayChild(child, folder, options)
    const stop = () => self.kill()
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    try {
      self.#app = (await self.#expect('listening', options.startTimeout)).app
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

  /** Which code it is that the process has loaded, and when, in the words of `Replay`. */
  get loaded (): { readonly app?: string, readonly loadedAt: number } {
    return { ...(this.#app === undefined ? {} : { app: this.#app }), loadedAt: this.#startedAt }
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
    const { interval, waits, values } = this.#options
    this.#tell({ geordi: 'prepare', request: head, text: longestText(request), recording: { interval, waits, values } })
    this.#destination = await this.#expect('prepared')
  }

  /**
   * What was recorded of a replay without an end, once {@link replay} has rejected: of a process that was killed until shortly
   * before, and nothing where that was at once.
   */
  get partial (): ReplayOutcome | undefined {
    return this.#partial
  }

  /**
   * Sends the request and waits for the end of the answer, however long it takes.
   * @throws WorkerError `GEORDI_REPLAY_DIED`, `GEORDI_OUT_OF_MEMORY`, `GEORDI_REPLAY_BROKEN`, `GEORDI_RECORDING_FAILED`, and the
   * reason that {@link interrupt} was given
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
      // What a process has left behind is read at its end; one whose profile can't be written goes on.
      if (this.#death !== undefined) await this.ended
      else if ((error as WorkerError).code === 'GEORDI_RECORDING_FAILED') this.#partial = await assemble(this.#folder, 'its recording could not be written').catch(() => undefined)
      throw error
    }
  }

  /** What was recorded until now, while the replay goes on; undefined where that is nothing yet. */
  async snapshot (): Promise<ReplayOutcome | undefined> {
    const { kept, message } = await askToKeep(this.#folder, KEEP_LIMIT)
    const how = kept ? 'it was still running when this was recorded' : `it was still running; this is what was recorded last (${message ?? 'nothing is recorded just now'})`
    return assemble(this.#folder, how)
  }

  /** Ends the replay, in whatever state it is: {@link replay} rejects with the reason, and what was recorded until then is the partial. */
  async interrupt (reason: Error): Promise<void> {
    if (this.#reason !== undefined || this.#death !== undefined) return
    this.#reason = reason
    if (this.#stage === 'sent' || this.#stage === 'answered') await askToKeep(this.#folder, KEEP_LIMIT)
    this.kill()
  }

  /** No complete answer: because the process dies, or because the app broke it off and goes on. */
  async #broken (cause: Error): Promise<never> {
    await Promise.race([this.ended, delay(DEATH_GRACE, undefined, { ref: false })])
    if (this.#death !== undefined) throw this.#death
    // The app goes on, and may do so for ever.
    const ended = 'the app broke the connection off'
    this.#partial = await Promise.race([
      this.#finish({ ended }).catch(() => undefined),
      delay(this.#options.closeTimeout, undefined, { ref: false })
    ])
    if (this.#death !== undefined) throw this.#death
    if (this.#partial === undefined) {
      await askToKeep(this.#folder, KEEP_LIMIT)
      this.#partial = await assemble(this.#folder, ended).catch(() => undefined)
    }
    throw this.#withOutput(new WorkerError('GEORDI_REPLAY_BROKEN', `The app broke the connection off without a complete answer (${cause.message}).`, { cause }))
  }

  async #finish (outcome: Pick<Run, 'response' | 'ended'>): Promise<ReplayOutcome> {
    this.#tell({ geordi: 'finish', outcome })
    await this.#expect('finished')
    this.#stage = 'recorded'
    // What the handler has left behind can end the process from here on, and its files with it.
    const reading = assemble(this.#folder, '')
    this.#reading = reading.catch(() => {})
    return (await reading)!
  }

  /** Takes what is still wanted of the process's files. */
  async #salvage (): Promise<void> {
    await this.#reading
    if (this.#stage !== 'sent' && this.#stage !== 'answered') return
    this.#partial = await assemble(this.#folder, this.#ended).catch(() => undefined)
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
    this.#death = this.#reason ?? this.#withOutput(this.#listening ? this.#deathOf(code, signal) : new WorkerError('GEORDI_APP_START', `The app ended ${howEnded(code, signal)} before it called listen().`))
    this.#ended = inClause(this.#death)
    this.#settle(this.#death)
  }

  #deathOf (code: number | null, signal: NodeJS.Signals | null): WorkerError {
    const when = this.#stage === 'answered' ? 'right after its answer' : 'before the request did'
    if (OUT_OF_MEMORY.test(this.#tail.text)) {
      const { heapLimit } = this.#options
      return new WorkerError('GEORDI_OUT_OF_MEMORY', `The replay process ran out of memory ${when}: its heap was full${heapLimit === undefined ? '' : ` (--heap-limit ${heapLimit})`}. If the request is to need so much, start the worker with a larger --heap-limit.`)
    }
    const guess = signal === 'SIGKILL' ? ' It was not the worker that killed it; a system that runs out of memory does.' : ''
    return new WorkerError('GEORDI_REPLAY_DIED', `The replay process ended ${howEnded(code, signal)} ${when}.${guess}`)
  }

  #withOutput (error: WorkerError): WorkerError {
    error.output = this.#tail.text
    return error
  }

  #settle (error: Error): void {
    this.#waiting?.reject(error)
  }
}

/** What V8 says before it aborts the process. */
const OUT_OF_MEMORY = /FATAL ERROR: .*(?:heap out of memory|heap limit)/i

function howEnded (code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `with exit code ${code}` : `by ${signal}`
}

/** A message's first sentence as a part of another. */
function inClause ({ message }: Error): string {
  const [sentence = ''] = message.split(/[.:](?:\s|$)/, 1)
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
}

function heapArguments ({ heapLimit }: ReplayChildOptions): string[] {
  return heapLimit === undefined ? [] : [`--max-old-space-size=${heapLimit}`]
}
