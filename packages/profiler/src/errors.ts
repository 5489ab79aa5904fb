/** Every way in which this package fails, by code. */
export type ProfilerErrorCode =
  /** An option is wrong; the message names it. */
  | 'GEORDI_OPTION_INVALID'
  /** `start` while a recording runs, or `stop` while none does. */
  | 'GEORDI_PROFILER_STATE'
  /** The engine that was asked for can't be loaded. */
  | 'GEORDI_ENGINE_UNAVAILABLE'

/** What `@geordi/profiler` throws. */
export class ProfilerError extends Error {
  override readonly name = 'ProfilerError'
  readonly code: ProfilerErrorCode

  constructor (code: ProfilerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
