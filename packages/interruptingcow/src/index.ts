import { timeoutIsolated } from './isolated/timeout-isolated.ts'
import { timeoutAsync, wrapAsync } from './timeout-async.ts'
import { prepareSync, timeoutSync, wrapSync } from './timeout-sync.ts'

/**
 * Puts a time limit on a piece of code.
 *
 * ```ts
 * await timeout(20_000, async box => { … })
 * timeout.sync(500, () => pattern.test(input))
 * await timeout.isolated(500, new URL('./parse.js', import.meta.url), [text])
 * const load = timeout.wrap(5_000, loadUser)
 * const match = timeout.sync.wrap(500, matchAll)
 * ```
 */
export const timeout = Object.assign(timeoutAsync, {
  wrap: wrapAsync,
  sync: Object.assign(timeoutSync, { wrap: wrapSync, prepare: prepareSync }),
  isolated: timeoutIsolated
})

// Boxes
export type { Box } from './box.ts'
export type { AsyncBox } from './async-box.ts'
export type { SyncBox } from './sync-box.ts'

// Limits and options
export type { Limit } from './limit.ts'
export { Quota } from './quota.ts'
export type { AsyncBoxOptions, BoxOptions, ErrorOption, LateOutcome } from './options.ts'
export type { IsolatedOptions } from './isolated/timeout-isolated.ts'

// The box that code runs in, for libraries
export { currentBox, currentDeadline, deadlineSignal, detached } from './context.ts'

// Errors
export { BoxError, TimeoutError, type BoxErrorCode } from './errors.ts'
