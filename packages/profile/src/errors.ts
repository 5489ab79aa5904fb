/** What can be wrong with a profile that comes from outside. */
export type ProfileErrorCode =
  /** The bytes aren't JSON text. */
  | 'GEORDI_PROFILE_NOT_JSON'
  /** It's JSON, but nothing that a V8 CPU profiler writes. */
  | 'GEORDI_PROFILE_NOT_CPUPROFILE'
  /** The call tree contradicts itself: a cycle, two nodes with one id, a call to a node that isn't there. */
  | 'GEORDI_PROFILE_BAD_TREE'
  /** The samples don't fit the call tree, or their times aren't numbers. */
  | 'GEORDI_PROFILE_BAD_SAMPLES'
  /** The `geordi` key isn't what this version of Geordi writes. */
  | 'GEORDI_PROFILE_BAD_METADATA'

/** A profile that can't be read. The message says what is wrong and what to do about it. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError'
  readonly code: ProfileErrorCode

  constructor (code: ProfileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
