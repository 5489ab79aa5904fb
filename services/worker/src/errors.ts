/** Every way in which the worker and the command line fail, by code. */
export type WorkerErrorCode =
  /** A command-line argument or option is wrong; the message names it. */
  | 'GEORDI_OPTION_INVALID'
  /** The app did not listen in time, or ended before it did. */
  | 'GEORDI_APP_START'
  /** The file is neither a server entry nor a plugin nor a factory. */
  | 'GEORDI_APP_UNKNOWN_KIND'
  /** The replay process ended before the request did. */
  | 'GEORDI_REPLAY_DIED'
  /** The replay process's heap was full. */
  | 'GEORDI_OUT_OF_MEMORY'
  /** The replay took longer than `limit`. */
  | 'GEORDI_REPLAY_LIMIT'
  /** The worker was stopped, and its `grace` was over before the replay was. */
  | 'GEORDI_REPLAY_INTERRUPTED'
  /** The app broke the connection instead of answering. */
  | 'GEORDI_REPLAY_BROKEN'
  /** The profile could not be taken or written. */
  | 'GEORDI_RECORDING_FAILED'
  /** The report could not be drawn; the raw profile is there. Or one of the two could not be stored. */
  | 'GEORDI_REPORT_FAILED'

/** What the worker and the command line throw. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError'
  readonly code: WorkerErrorCode
  /** What the app said last, where it may tell why. It has gone to the app's output too, so the message does not repeat it. */
  output = ''

  constructor (code: WorkerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** The message with the app's last output, for who does not see that otherwise. */
  get messageWithOutput (): string {
    return this.output === '' || this.message.includes(this.output) ? this.message : `${this.message}\nIts last output:\n${this.output}`
  }
}
