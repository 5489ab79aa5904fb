import { BoxError, type TimeoutError } from './errors.ts'
import { checkMilliseconds } from './milliseconds.ts'

/**
 * What to fail with: a class (made with the message), an instance, or a function that makes one.
 * It is made once for each box whose time is up.
 */
export type ErrorOption = Error | (new (message: string) => Error) | ((timeout: TimeoutError) => unknown)

/** How a box behaves, apart from its limit. */
export interface BoxOptions {
  /**
   * What to fail with when the time is up. What a function throws instead of returning it will do as well.
   * @defaultValue a `TimeoutError`
   */
  readonly error?: ErrorOption
  /**
   * What the box is called in messages and reports.
   * @defaultValue the function's name
   */
  readonly label?: string
  /**
   * The time that all cleanups of the box have together, in milliseconds. Every one is started all the same.
   * @defaultValue 1000
   */
  readonly cleanupLimit?: number
  /**
   * Called with the error of a cleanup that failed where the box itself fails with something else.
   * @defaultValue `process.emitWarning`
   */
  readonly onCleanupError?: (error: unknown) => void
}

/** How the work of an asynchronous box ended after it was given up. */
export type LateOutcome =
  | { readonly status: 'fulfilled', readonly value: unknown }
  | { readonly status: 'rejected', readonly reason: unknown }

/** How an asynchronous box behaves, apart from its limit. */
export interface AsyncBoxOptions extends BoxOptions {
  /**
   * Called when work that was given up ends after all. Its results and errors go nowhere else.
   * @defaultValue they are dropped
   */
  readonly onLate?: (outcome: LateOutcome) => void
}

/** The options that boxes have when none are given. */
export const NO_OPTIONS: AsyncBoxOptions = Object.freeze({})

export const DEFAULT_CLEANUP_LIMIT = 1000

const isFunction = (value: unknown): boolean => typeof value === 'function'

const RULES: Readonly<Record<keyof AsyncBoxOptions, readonly [valid: (value: unknown) => boolean, takes: string]>> = {
  error: [value => isFunction(value) || value instanceof Error, 'an error, a class of errors or a function that makes one'],
  label: [value => typeof value === 'string', 'a string'],
  cleanupLimit: [value => typeof value === 'number', 'milliseconds'],
  onCleanupError: [isFunction, 'a function'],
  onLate: [isFunction, 'a function']
}

/** @throws BoxError `GEORDI_BOX_BAD_OPTION` for what can't be called */
export function checkBody (body: unknown): void {
  if (typeof body !== 'function') throw new BoxError('GEORDI_BOX_BAD_OPTION', `A box takes a limit and a function, not ${String(body)}.`)
}

/**
 * Checks the options; `undefined` stands for the default.
 * @throws BoxError `GEORDI_BOX_BAD_OPTION`
 * @throws RangeError for a `cleanupLimit` that is no time
 */
export function checkOptions<O extends AsyncBoxOptions> (options: O | undefined): O {
  if (options === undefined) return NO_OPTIONS as O
  if (typeof options !== 'object' || options === null) {
    throw new BoxError('GEORDI_BOX_BAD_OPTION', `The options of a box are an object, not ${String(options)}.`)
  }
  for (const name in options) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof AsyncBoxOptions] : undefined
    if (rule === undefined) {
      throw new BoxError('GEORDI_BOX_BAD_OPTION', `"${name}" is no option of a box: it has ${Object.keys(RULES).join(', ')}.`)
    }
    const value = options[name]
    if (value !== undefined && !rule[0](value)) {
      throw new BoxError('GEORDI_BOX_BAD_OPTION', `The option "${name}" of a box takes ${rule[1]}, not ${String(value)}.`)
    }
  }
  if (options.cleanupLimit !== undefined) checkMilliseconds(options.cleanupLimit, 'The option "cleanupLimit"')
  return Object.freeze({ ...options })
}
