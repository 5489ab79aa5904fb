import { renameSync, writeFileSync } from 'node:fs'
import type { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Run } from '@geordi/profile'
import { createCpuProfiler, withRun, type CpuProfiler } from '@geordi/profiler'

/** The one recording of a replay process, from the profiler's start to the profile in its file. */
export class Recording {
  readonly #profiler: CpuProfiler
  readonly #file: string
  #answer: EventEmitter | undefined
  #start = 0
  #end = 0

  /** Starts to record. @param interval Microseconds between samples. */
  constructor (file: string, interval: number) {
    this.#file = file
    this.#profiler = createCpuProfiler({ interval })
    this.#profiler.start()
  }

  get profiler (): NonNullable<Run['profiler']> {
    return { engine: this.#profiler.engine, interval: this.#profiler.interval }
  }

  /** The status that the app has sent so far. */
  get statusCode (): number | undefined {
    const { headersSent, statusCode } = (this.#answer ?? {}) as Partial<ServerResponse>
    return headersSent === true ? statusCode : undefined
  }

  /** The request has arrived. False where another one was the first. */
  begin (answer: EventEmitter): boolean {
    if (this.#answer !== undefined) return false
    this.#answer = answer
    this.#start = now()
    answer.once('close', () => { this.#end = now() })
    return true
  }

  /**
   * Ends the recording and writes it to its file, all at once: it must work while the process exits. The file gets its
   * name when it is whole.
   */
  save (run: Run): Run {
    const recorded = this.#profiler.stop()
    // Without a close of the response (a hijacked socket) the run ends when the worker has the answer.
    // Without an event (the server refused what arrived) it began when the request was sent.
    const window = { start: this.#start || recorded.startTime, end: this.#end || now() }
    const whole = { ...run, wallTime: window.end - window.start }
    const partial = `${this.#file}.partial`
    writeFileSync(partial, JSON.stringify(withRun(recorded, whole, window)), { mode: 0o600 })
    renameSync(partial, this.#file)
    return whole
  }
}

/** Microseconds on the clock of the profiles. */
function now (): number {
  return Number(process.hrtime.bigint() / 1000n)
}
