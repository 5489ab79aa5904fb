/** Every way in which the plugin fails, with the status it answers an admin with. */
const STATUS = {
  /** An option is missing or wrong; the message names it. */
  GEORDI_OPTION_INVALID: 500,
  /** Registered where it sees no route. */
  GEORDI_NO_ROUTES: 500,
  /** The request's body is larger than `bodyLimit`, or too many large ones come at once. */
  GEORDI_BODY_TOO_LARGE: 413,
  /** Something read the body before the plugin could see it. */
  GEORDI_BODY_MISSED: 500,
  /** `app.geordi.profile()` was given a request that can't run once more without harm; nobody is answered with it. */
  GEORDI_NOT_SAFE: 400,
  /** The `capture` or `identify` option threw. */
  GEORDI_HOOK_FAILED: 500,
  /** Another site made the admin's browser send it, or it only loads ahead what may be wanted. A cancel and a snapshot, too. */
  GEORDI_FROM_ELSEWHERE: 403,
  /** As many replays of the admin as may be have not ended (`maxOpenPerAdmin`). */
  GEORDI_TOO_MANY_OPEN: 429,
  /** As many replays as may be wait for a worker (`maxQueued`). */
  GEORDI_QUEUE_FULL: 429,
  /** The queue server can't be reached. */
  GEORDI_QUEUE_UNAVAILABLE: 503
} as const

/**
 * {@link GeordiError.code}: which of the ways it was, for programs. `GEORDI_OPTION_INVALID` and `GEORDI_NO_ROUTES` keep the
 * app from starting; the others are answers to an admin's flagged request, which was then neither queued nor run.
 */
export type GeordiErrorCode = keyof typeof STATUS

/** What `@geordi/fastify` throws when it is registered, or answers an admin with: a `code` for programs, a `message` that says what to do. */
export class GeordiError extends Error {
  override readonly name = 'GeordiError'
  /** Stable, for programs. */
  readonly code: GeordiErrorCode
  /** What an admin's request is answered with: 403, 413, 429, 500 or 503. */
  readonly statusCode: number

  constructor (code: GeordiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.statusCode = STATUS[code]
  }
}
