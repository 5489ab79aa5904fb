import { ProfilerError } from './errors.ts'
import type { CpuProfile } from './cpu-profile.ts'
import { openAddon } from './addon.ts'
import { openInspector } from './inspector.ts'

/** Which door to V8's CPU profiler is used. */
export type Engine = 'v8-profiler-next' | 'node:inspector'

/** How to record. */
export interface CpuProfilerOptions {
  /**
   * Microseconds between samples, a whole number from 50 to 1,000,000. 1000 costs the profiled code up to 4 %, 250 up to 14 %, 100 up to 28 %.
   * @defaultValue 1000
   */
  readonly interval?: number
  /**
   * Which door to use; a given one must be there.
   * @defaultValue v8-profiler-next, and node:inspector where the addon can't be loaded
   */
  readonly engine?: Engine
}

/** Records what the main thread of this process does; one recording at a time. */
export interface CpuProfiler {
  /** The door that is used. */
  readonly engine: Engine
  /** Microseconds between samples; of the recording that runs, or of the next. */
  readonly interval: number
  /** @throws ProfilerError `GEORDI_PROFILER_STATE` while a recording runs. */
  start (): void
  /**
   * Ends the recording and begins the next, in one go: what runs on this thread is recorded by one of them, and `joinCpuProfiles` makes
   * one of both. A long recording that is taken in parts needs no memory for more than one.
   * @param interval Of the next one. @defaultValue the same as before
   * @throws ProfilerError `GEORDI_PROFILER_STATE` when none runs.
   */
  rotate (interval?: number): CpuProfile
  /** Ends the recording. @throws ProfilerError `GEORDI_PROFILER_STATE` when none runs. */
  stop (): CpuProfile
}

/** What an engine does; the checks around it are the same for all, because the addon crashes without them. */
export interface EngineDriver {
  /** Has V8 tell of code from now on, where the engine can. */
  watchCode? (): void
  start (interval: number): void
  /** Ends the recording and goes on with another, at the same interval. */
  next (): CpuProfile
  stop (): CpuProfile
}

const DEFAULT_INTERVAL = 1000
const LEAST = 50
const MOST = 1_000_000
const ENGINES: readonly Engine[] = ['v8-profiler-next', 'node:inspector']

/** Who records at the moment: V8 has one sampler a process, and the addon crashes where two share it. */
let recording: CpuProfiler | undefined

/**
 * Opens V8's CPU profiler.
 * @throws ProfilerError `GEORDI_OPTION_INVALID`; `GEORDI_ENGINE_UNAVAILABLE` when a given engine can't be loaded.
 */
export function createCpuProfiler ({ interval = DEFAULT_INTERVAL, engine }: CpuProfilerOptions = {}): CpuProfiler {
  if (!isInterval(interval)) throw new ProfilerError('GEORDI_OPTION_INVALID', `Option \`interval\` must be a whole number of microseconds from ${LEAST} to ${MOST}.`)
  if (engine !== undefined && !ENGINES.includes(engine)) {
    throw new ProfilerError('GEORDI_OPTION_INVALID', `Option \`engine\` must be one of: ${ENGINES.join(', ')}.`)
  }
  return new Profiler(...openEngine(engine), interval)
}

/**
 * Loads the engine, and has V8 tell it of all code from now on until the process ends. Without this it learns at the start of a recording, in some 40 ms, what
 * functions there are, and never of the regular expressions that are compiled by then. Call it before the app loads, which takes 8 to 17 % longer then.
 * node:inspector can't do it.
 * @throws ProfilerError `GEORDI_PROFILER_STATE` while a recording runs.
 */
export function watchCode (): void {
  if (recording !== undefined) throw new ProfilerError('GEORDI_PROFILER_STATE', 'The profiler is recording already; call this first.')
  const [, driver] = openEngine(undefined)
  driver.watchCode?.()
}

function isInterval (interval: number): boolean {
  return Number.isSafeInteger(interval) && interval >= LEAST && interval <= MOST
}

class Profiler implements CpuProfiler {
  readonly engine: Engine
  readonly #driver: EngineDriver
  #interval: number

  constructor (engine: Engine, driver: EngineDriver, interval: number) {
    this.engine = engine
    this.#driver = driver
    this.#interval = interval
  }

  get interval (): number {
    return this.#interval
  }

  start (): void {
    if (recording !== undefined) throw new ProfilerError('GEORDI_PROFILER_STATE', 'The profiler is recording already; stop it first.')
    this.#driver.start(this.#interval)
    recording = this
  }

  rotate (interval = this.#interval): CpuProfile {
    this.#assertRecording()
    if (interval === this.#interval || !isInterval(interval)) return this.#driver.next()
    // V8 takes another interval only where nothing is recorded. The profiled code doesn't run meanwhile.
    const profile = this.#driver.stop()
    this.#interval = interval
    this.#driver.start(interval)
    return profile
  }

  stop (): CpuProfile {
    this.#assertRecording()
    recording = undefined
    return this.#driver.stop()
  }

  /** The addon dies of a stop without a start (SIGSEGV), so it must never get there. */
  #assertRecording (): void {
    if (recording !== this) throw new ProfilerError('GEORDI_PROFILER_STATE', 'The profiler is not recording; start it first.')
  }
}

function openEngine (engine: Engine | undefined): [Engine, EngineDriver] {
  if (engine === 'node:inspector') return [engine, openInspector()]
  try {
    return ['v8-profiler-next', openAddon()]
  } catch (cause) {
    if (engine === undefined) return ['node:inspector', openInspector()]
    throw new ProfilerError('GEORDI_ENGINE_UNAVAILABLE',
      'v8-profiler-next can\'t be loaded. It compiles when it is installed and needs python3, make and g++; or leave `engine` out to use node:inspector.', { cause })
  }
}
