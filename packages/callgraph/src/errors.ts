/** What can go wrong between a profile and its graph. */
export type CallGraphErrorCode =
  /** An option isn't one, or its value isn't possible. */
  | 'GEORDI_CALLGRAPH_BAD_OPTION'
  /** No sample is in the part of the profile that the options choose. */
  | 'GEORDI_CALLGRAPH_EMPTY_VIEW'

/** A call graph that can't be made as asked. The message names the option and what it takes. */
export class CallGraphError extends Error {
  override readonly name = 'CallGraphError'
  readonly code: CallGraphErrorCode

  constructor (code: CallGraphErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
