/** What went wrong, for programs. */
export type WaitsErrorCode =
  /** An option is wrong; the message names it. */
  | 'GEORDI_OPTION_INVALID'
  /** A recording is asked for while another runs, or ended twice. */
  | 'GEORDI_WAITS_STATE'

/** What `@geordi/waits` throws. */
export class WaitsError extends Error {
  override readonly name = 'WaitsError'
  readonly code: WaitsErrorCode

  constructor (code: WaitsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
