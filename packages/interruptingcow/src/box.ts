import { type AnyDisposable, type Cleanup, disposerOf, reportCleanupError } from './cleanups.ts'
import { BoxError, TimeoutError } from './errors.ts'
import type { Limit } from './limit.ts'
import type { AsyncBoxOptions, ErrorOption } from './options.ts'
import { Quota } from './quota.ts'

/** What the body of a box is given: what it may know of its limit, and a place for its cleanup. */
export interface Box {
  /** The `label` option, or the function's name. */
  readonly label: string
  /** Aborted when the time is up, its reason being the error that the box fails with. Made when it is first read. */
  readonly signal: AbortSignal
  /** Milliseconds until this box or one around it is interrupted, at least 0; `Infinity` without a limit. */
  remaining (): number
  /**
   * Has a function called when the box ends, in whatever way. The last one is called first. In a synchronous box,
   * where no `finally` runs after an interruption, this is the way to clean up. A box that is over calls it at once.
   */
  defer (cleanup: () => unknown): void
  /**
   * Has a resource disposed of (`Symbol.asyncDispose` or `Symbol.dispose`) when the box ends, and returns it.
   * @throws BoxError `GEORDI_BOX_BAD_OPTION` for what has no method for that
   */
  use<T extends AnyDisposable> (resource: T): T
}

/** Where synchronous code was interrupted. */
export interface Interruption {
  /** The synchronous boxes that it was in, from the outermost one on. */
  readonly boxes: readonly string[]
  /** How long the outermost one had been open, in milliseconds. */
  readonly elapsed: number
  /**
   * What called `timeout.sync`, without frames of Node and of this package. V8 ends what was called in it before anyone
   * can look; and where another thread looks just before, through the inspector, V8 now and then drops the interruption
   * (seen on Node 20, about once in 500 times).
   */
  readonly stack: readonly string[]
}

/** What boxes of both kinds have in common. */
export abstract class LimitedBox implements Box {
  readonly label: string
  /** Milliseconds. */
  readonly limit: number
  readonly quota: Quota | undefined
  readonly openedAt: number
  /** Its own one, on the scale of `performance.now()`. */
  readonly deadline: number
  readonly options: AsyncBoxOptions
  /** The one around it, in the async context that it was opened in: running, or expired with all that's in it. */
  parent: LimitedBox | undefined
  /** The box whose deadline comes first: itself, or one around it. */
  limiter: LimitedBox = this
  state: 'running' | 'expired' | 'ended' = 'running'
  readonly cleanups: Cleanup[] = []
  /** The synchronous box that was interrupted because the time of this one was up. */
  interruption: Interruption | undefined
  #controller: AbortController | undefined
  #reason: { readonly error: unknown } | undefined

  constructor (limit: Limit, name: string, options: AsyncBoxOptions, parent: LimitedBox | undefined) {
    this.quota = typeof limit === 'number' ? undefined : limit
    this.limit = typeof limit === 'number' ? limit : limit.remaining()
    this.openedAt = performance.now()
    this.deadline = this.openedAt + this.limit
    this.label = options.label ?? name
    this.options = options
    this.parent = parent
  }

  /** What it fails with; made once. */
  get reason (): unknown {
    this.#reason ??= { error: makeError(this.options.error, this.#timeoutError()) }
    return this.#reason.error
  }

  get signal (): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.state === 'expired') this.#controller.abort(this.limiter.reason)
    }
    return this.#controller.signal
  }

  remaining (): number {
    return Math.max(0, this.limiter.deadline - performance.now())
  }

  defer (cleanup: () => unknown): void {
    if (typeof cleanup !== 'function') {
      throw new BoxError('GEORDI_BOX_BAD_OPTION', `\`defer\` takes a function, not ${String(cleanup)}.`)
    }
    this.register({ run: cleanup, subject: cleanup })
  }

  use<T extends AnyDisposable> (resource: T): T {
    this.register({ run: disposerOf(resource), subject: resource })
    return resource
  }

  /** Keeps a cleanup for the end; where that has come already, now is the time. */
  protected register (cleanup: Cleanup): void {
    if (this.state === 'running') this.cleanups.push(cleanup)
    else this.runLate(cleanup.run)
  }

  /** Cleans up what a box that is over was still given. */
  protected runLate (cleanup: () => unknown): void {
    Promise.resolve().then(cleanup).catch(error => { this.cleanupFailed(error) })
  }

  /** Takes back what `register` was given. */
  protected forget (cleanup: Cleanup): void {
    const index = this.cleanups.lastIndexOf(cleanup)
    if (index !== -1) this.cleanups.splice(index, 1)
  }

  cleanupFailed (error: unknown): void {
    reportCleanupError(this.options.onCleanupError, error)
  }

  /** Whether the time of this box or of one around it has come, noticed or not. */
  get overdue (): boolean {
    return this.state === 'expired' || this.limiter.deadline <= performance.now()
  }

  protected abortSignal (): void {
    this.#controller?.abort(this.limiter.reason)
  }

  #timeoutError (): TimeoutError {
    return this.limit > 0
      ? new TimeoutError('GEORDI_BOX_TIMEOUT', `${this.label} took longer than its limit of ${round(this.limit)} ms.`, this.limit)
      : new TimeoutError('GEORDI_BOX_QUOTA_EXHAUSTED', `${this.label} was not run, because its quota is used up.`, 0)
  }
}

/** What a body is called where neither its option nor its function has a name. */
export const NAMELESS = 'The code'

function makeError (option: ErrorOption | undefined, timeout: TimeoutError): unknown {
  if (option === undefined) return timeout
  if (typeof option !== 'function') return option
  try {
    return isErrorClass(option) ? Reflect.construct(option, [timeout.message]) : option(timeout)
  } catch (error) {
    return error
  }
}

function isErrorClass (option: Function): option is new (message: string) => Error {
  return option === Error || option.prototype instanceof Error
}

function round (milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
