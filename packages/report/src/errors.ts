/** What can go wrong while a report is made. */
export type ReportErrorCode =
  /** An option isn't one, or its value isn't possible. */
  | 'GEORDI_REPORT_BAD_OPTION'
  /** Graphviz took longer than allowed. `renderReport` draws a smaller graph then, and says so in the report. */
  | 'GEORDI_REPORT_LAYOUT_TIMEOUT'
  /** Graphviz, or the thread it runs in, failed. */
  | 'GEORDI_REPORT_LAYOUT_FAILED'

/** A report that can't be made. The message says why, and what can be done. */
export class ReportError extends Error {
  override readonly name = 'ReportError'
  readonly code: ReportErrorCode

  constructor (code: ReportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
