/** Every way in which the plugin fails, with the status it answers an admin with. */
const STATUS = {
  /** An option is missing or wrong; the message names it. */
  GEORDI_OPTION_INVALID: 500,
  /** Registered where it sees no route. */
  GEORDI_NO_ROUTES: 500,
  /** The request's body is larger than `bodyLimit`, or many large ones come at once. */
  GEORDI_BODY_TOO_LARGE: 413,
  /** Something read the body before the plugin could see it. */
  GEORDI_BODY_MISSED: 500,
  /** The `capture` or `identify` option threw. */
  GEORDI_HOOK_FAILED: 500,
  /** The queue server can't be reached. */
  GEORDI_QUEUE_UNAVAILABLE: 503
} as const

export type GeordiErrorCode = keyof typeof STATUS

/** What `@geordi/fastify` throws, or answers an admin with. */
export class GeordiError extends Error {
  override readonly name = 'GeordiError'
  readonly code: GeordiErrorCode
  readonly statusCode: number

  constructor (code: GeordiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.statusCode = STATUS[code]
  }
}
