/** What went wrong, for programs. */
export type WaitsErrorCode =
  /** An option is wrong; the message names it. */
  | 'GEORDI_OPTION_INVALID'
  /** A recording is asked for while another runs, or ended twice. */
  | 'GEORDI_WAITS_STATE'
  /** What should be a recording isn't one, or not of this version; the message says what is wrong. */
  | 'GEORDI_WAITS_RECORDING_INVALID'

/** What `@geordi/waits` throws. */
export class WaitsError extends Error {
  override readonly name = 'WaitsError'
  readonly code: WaitsErrorCode

  constructor (code: WaitsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
