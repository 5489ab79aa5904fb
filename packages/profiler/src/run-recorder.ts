import type { Run } from '@geordi/profile'
import { recordWaits, type WaitRecorder, type WaitRecording } from '@geordi/waits'
import { createCpuProfiler, type CpuProfiler } from './cpu-profiler.ts'
import { withRun, type CpuProfile, type FileRecords, type RecordedProfile, type RunRecords } from './cpu-profile.ts'
import { BuiltPlaces } from './originals.ts'

/** What is recorded of a run. */
export interface RecordingOptions {
  /** Microseconds between samples, as in `CpuProfilerOptions`. @defaultValue 1000 */
  readonly interval?: number
  /** Whether the waits are recorded too, and who started them. Call `instrument()` before the app loads. @defaultValue true */
  readonly waits?: boolean
  /** Whether the values are kept that the longest wait of each operation was asked with; there may be secrets among them. @defaultValue false */
  readonly values?: boolean
  /** CPU samples that are taken until the interval doubles, and again until it doubles once more. @defaultValue 600000, ten minutes of 1 ms */
  readonly budget?: number
  /** URLs of the folders of who records: what code from there does is no part of the run, though it may interrupt it. @defaultValue none but this package's */
  readonly users?: readonly string[]
}

/** What is known of a run beside its samples: when the recording began (microseconds of the `process.hrtime()` clock), says what and from when to when. */
export type DescribeRun = (startTime: number) => { run: Run, window: NonNullable<RunRecords['window']> }

/** A recording of one run, from {@link recordRun} to `stop()`. */
export interface RunRecorder {
  /** How it is recorded, for the report. */
  readonly profiler: NonNullable<Run['profiler']>
  /** Calls what the run begins with, and gives its result: what it calls, awaits and hands callbacks to is the run's. */
  run<Result> (fn: () => Result): Result
  /**
   * Takes the CPU samples since the last time out of this process, whose memory they would fill, and goes on. The parts and what
   * `stop` gives make one profile with `joinCpuProfiles`. The more there were, the further apart the next ones are.
   * @throws ProfilerError `GEORDI_PROFILER_STATE` when the recording has ended.
   */
  takePart (): CpuProfile
  /**
   * For who interrupts this process from elsewhere (`Runtime.evaluate`): whether it was the recorder's own work that is interrupted. The
   * recorder must not be looked into then; a millisecond later it can.
   */
  isInterrupted (): boolean
  /** What belongs into a file beside the parts taken until now, if there should be no more. */
  records (describe: DescribeRun): FileRecords
  /**
   * Ends the recording and gives what belongs into a file. It works while the process exits, too.
   * @throws ProfilerError `GEORDI_PROFILER_STATE` when it has ended already.
   */
  stop (describe: DescribeRun): RecordedProfile
}

const OWN_FOLDER = new URL('.', import.meta.url).href
const WAITS_FOLDER = new URL('.', import.meta.resolve('@geordi/waits')).href

/** How many samples are taken at one interval, until it is doubled: ten minutes at the default one. */
const BUDGET = 600_000
/** The longest interval (in microseconds) that comes of doubling: less often says little about anything. */
const LONGEST = 64_000

/**
 * Starts to record what the main thread of this process does and waits for.
 * @throws ProfilerError `GEORDI_OPTION_INVALID`, `GEORDI_PROFILER_STATE`; WaitsError `GEORDI_WAITS_STATE`
 */
export function recordRun ({ interval, waits = true, values = false, budget = BUDGET, users = [] }: RecordingOptions = {}): RunRecorder {
  const cpu: CpuProfiler = createCpuProfiler(interval === undefined ? {} : { interval })
  cpu.start()
  const recorder: WaitRecorder | undefined = waits ? recordWaits({ values }) : undefined
  const profiler = { engine: cpu.engine, interval: cpu.interval }
  const told = (recording: WaitRecording) => ({ ...recording, recorder: { ...recording.recorder, users: [OWN_FOLDER, ...users] } })
  const built = new BuiltPlaces()
  let samples = 0
  let startTime: number | undefined
  return {
    get profiler () {
      return cpu.interval === profiler.interval ? profiler : { ...profiler, widest: cpu.interval }
    },
    run: fn => recorder === undefined ? fn() : recorder.run(fn),
    takePart () {
      const isEnough = samples >= budget && cpu.interval * 2 <= LONGEST
      const part = cpu.rotate(isEnough ? cpu.interval * 2 : cpu.interval)
      // Those of this part were taken at the interval of before.
      samples = isEnough ? 0 : samples + part.samples.length
      startTime ??= part.startTime
      built.addProfile(part)
      return part
    },
    isInterrupted: isWaitsInterrupted,
    records (describe) {
      const { run, window } = describe(startTime ?? 0)
      return { version: 1, run, window, ...recorder === undefined ? {} : { waits: told(recorder.peek()) } }
    },
    stop (describe) {
      const last = cpu.stop()
      const recording = recorder?.stop()
      built.addProfile(last)
      if (recording !== undefined) built.addStacks(recording)
      // Not before the end: Node looks for a map with regular expressions, which must not be run while others are interrupted.
      const originals = built.toOriginals()
      const { run, window } = describe(startTime ?? last.startTime)
      return withRun(last, run, { window, ...recording === undefined ? {} : { waits: told(recording) }, ...originals === undefined ? {} : { originals } })
    }
  }
}

/** By the first frame below that of the interrupt, which has no file of its own. Where the app lets nobody look (a frozen `Error`), it may be. */
function isWaitsInterrupted (): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error
  Reflect.set(Error, 'stackTraceLimit', 12)
  // Not as a text: with source maps Node would tell the places in our sources, and look for them by regular expressions. None may be used here, nor in
  // anything else that is done while the code is interrupted: see `fileUrl`.
  Reflect.set(Error, 'prepareStackTrace', (_error: Error, sites: NodeJS.CallSite[]) => sites)
  const sites = new Error().stack as unknown as NodeJS.CallSite[] | string | undefined
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace)
  if (!Array.isArray(sites)) return true
  const interrupt = sites.findIndex(site => !site.getScriptNameOrSourceURL() && site.getLineNumber() === 1)
  return interrupt !== -1 && sites[interrupt + 1]?.getScriptNameOrSourceURL()?.startsWith(WAITS_FOLDER) === true
}
