import { renameSync, writeFileSync } from 'node:fs'
import type { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Run } from '@geordi/profile'
import { recordRun, type RecordingOptions, type RunRecorder } from '@geordi/profiler'
import { PROFILE_FILE, RECORDS_FILE } from './messages.ts'

// As they were before the app was instrumented: what is written here, within a call of the app's, is no wait of the app's.
const [write, rename] = [writeFileSync, renameSync]

/** The one recording of a replay process, from the profiler's start to the profile in its file. */
export class Recording {
  readonly #recorder: RunRecorder
  readonly #folder: string
  #answer: EventEmitter | undefined
  #start = 0
  #end = 0
  #parts = 0
  /** By the names of their files: one that the disk had no room for is written with the next. */
  readonly #unwritten = new Map<string, object>()

  /** Starts to record. */
  constructor (folder: string, options: RecordingOptions) {
    this.#folder = folder
    this.#recorder = recordRun({ ...options, users: [new URL('.', import.meta.url).href] })
  }

  get profiler (): NonNullable<Run['profiler']> {
    return this.#recorder.profiler
  }

  /** The status that the app has sent so far. */
  get statusCode (): number | undefined {
    const { headersSent, statusCode } = (this.#answer ?? {}) as Partial<ServerResponse>
    return headersSent === true ? statusCode : undefined
  }

  /** Whether the request has not arrived yet. */
  get awaitsRequest (): boolean {
    return this.#answer === undefined
  }

  /** The request has arrived: calls what the app does with it. */
  begin<Result> (answer: EventEmitter, handle: () => Result): Result {
    this.#answer = answer
    this.#start = now()
    answer.once('close', () => { this.#end = now() })
    return this.#recorder.run(handle)
  }

  /** Writes what was recorded since the last time, and what is known of the run, and goes on. */
  keep (describe: () => Run): true | 'later' {
    if (this.#recorder.isInterrupted()) return 'later'
    this.#unwritten.set(`part-${++this.#parts}.json`, this.#recorder.takePart())
    this.#writeParts()
    this.#write(RECORDS_FILE, this.#recorder.records(startTime => this.#timed(describe(), startTime, this.#end || now())))
    return true
  }

  /** Ends the recording and writes it to its file, all at once: it must work while the process exits. */
  save (run: Run): Run {
    const end = this.#end || now()
    const recorded = this.#recorder.stop(startTime => this.#timed(run, startTime, end))
    this.#writeParts()
    this.#write(PROFILE_FILE, recorded)
    return recorded.geordi.run
  }

  #timed (run: Run, startTime: number, end: number) {
    // Without a close of the response (a hijacked socket) the run ends when the worker has the answer.
    // Without an event (the server refused what arrived) it began when the request was sent.
    const window = { start: this.#start || startTime, end }
    return { run: { ...run, wallTime: window.end - window.start }, window }
  }

  #writeParts (): void {
    for (const [name, part] of this.#unwritten) {
      this.#write(name, part)
      this.#unwritten.delete(name)
    }
  }

  /** A file gets its name when it is whole. */
  #write (name: string, value: object): void {
    const file = join(this.#folder, name)
    write(`${file}.partial`, JSON.stringify(value), { mode: 0o600 })
    rename(`${file}.partial`, file)
  }
}

/** Microseconds on the clock of the profiles. */
function now (): number {
  return Number(process.hrtime.bigint() / 1000n)
}
