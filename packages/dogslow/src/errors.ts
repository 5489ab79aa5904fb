/** What can go wrong with dogslow itself. */
export type DogslowErrorCode =
  /** An option, or a route's `config.dogslow`, is wrong; the message names it. */
  | 'GEORDI_DOGSLOW_OPTION_INVALID'
  /** It is registered on this app, or on one that encloses it, already. */
  | 'GEORDI_DOGSLOW_TWICE'
  /** A sink needs a package that isn't installed; the message says which. */
  | 'GEORDI_DOGSLOW_PACKAGE_MISSING'
  /** The watcher thread can't be started in this process. */
  | 'GEORDI_DOGSLOW_UNSUPPORTED'

/** What this package throws; `code` says which of its errors it is. */
export class DogslowError extends Error {
  override readonly name = 'DogslowError'
  readonly code: DogslowErrorCode

  constructor (code: DogslowErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
