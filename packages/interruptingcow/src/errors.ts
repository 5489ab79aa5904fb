/** What can go wrong with a box, apart from what its body throws. */
export type BoxErrorCode =
  /** The time is up. */
  | 'GEORDI_BOX_TIMEOUT'
  /** The quota is used up: the body did not run. */
  | 'GEORDI_BOX_QUOTA_EXHAUSTED'
  /** The cleanup of a box took longer than `cleanupLimit`. */
  | 'GEORDI_BOX_CLEANUP_TIMEOUT'
  /** An option isn't one, or its value isn't possible. */
  | 'GEORDI_BOX_BAD_OPTION'
  /** Something that can't be limited in this way; the message says what to use. */
  | 'GEORDI_BOX_REFUSED'
  /** This process can't be repaired after an interruption, so that `timeout.sync` refuses to work. */
  | 'GEORDI_BOX_UNSUPPORTED'
  /** The process of `timeout.isolated` ended in the middle of a call, and not because of its limit. */
  | 'GEORDI_BOX_DIED'
  /** `timeout.isolated` found no pool to run in. */
  | 'GEORDI_BOX_NO_POOL'

/** What this package throws; `code` says which of its errors it is. */
export class BoxError extends Error {
  override readonly name: string = 'BoxError'
  readonly code: BoxErrorCode

  constructor (code: BoxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * The time is up: what a box fails with unless its `error` option says otherwise, and what is handed to a factory
 * given as that option.
 */
export class TimeoutError extends BoxError {
  override readonly name = 'TimeoutError'
  declare readonly code: 'GEORDI_BOX_TIMEOUT' | 'GEORDI_BOX_QUOTA_EXHAUSTED' | 'GEORDI_BOX_CLEANUP_TIMEOUT'
  /** The limit that was passed, in milliseconds; of a quota, what was left of it on entry. */
  readonly limit: number

  constructor (code: TimeoutError['code'], message: string, limit: number) {
    super(code, message)
    this.limit = limit
  }
}
