import { patchSqlite } from './builtins/sqlite.ts'
import { WaitsError } from './errors.ts'
import { instrument } from './instrument.ts'
import type { WaitsOptions } from './options.ts'
import { RequestRecorder } from './request-recorder.ts'
import type { WaitRecording } from './recording.ts'

/** A recording that runs. */
export interface WaitRecorder {
  /**
   * Calls what the request begins with, such as the `emit` of a server's `request` event, and gives its result. What `fn` calls, awaits and hands
   * callbacks to is the request's; without it, what can't be placed otherwise is the request's too, but not under its callers.
   */
  run<Result> (fn: () => Result): Result
  /** What was recorded until now, waits that are open among it; the recording goes on. @throws WaitsError `GEORDI_WAITS_STATE` when it has ended. */
  peek (): WaitRecording
  /** Ends the recording. @throws WaitsError `GEORDI_WAITS_STATE` when it has ended already. */
  stop (): WaitRecording
}

/**
 * Records what this process waits for from now on, and which code runs in whose name; for the one request of a replay process.
 * Call {@link instrument} before the app loads; here it is too late for what the app has taken out of Node's modules.
 *
 * @throws WaitsError `GEORDI_OPTION_INVALID`; `GEORDI_WAITS_STATE` while another recording runs.
 */
export function recordWaits (options?: WaitsOptions): WaitRecorder {
  const recorder = new RequestRecorder(options)
  instrument()
  patchSqlite()
  recorder.start()
  let stopped = false
  const assertRuns = () => { if (stopped) throw new WaitsError('GEORDI_WAITS_STATE', 'The recording has been stopped already.') }
  return {
    run: <Result>(fn: () => Result) => recorder.run(fn, undefined, []) as Result,
    peek () {
      assertRuns()
      return recorder.peek()
    },
    stop () {
      assertRuns()
      stopped = true
      return recorder.stop()
    }
  }
}
