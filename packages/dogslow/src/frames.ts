/*
 * Whose code runs is told by the stack: each request's hooks and handler are called by a function that is named after the request. V8's stack
 * traces have its frame below theirs, across `await` too. So nothing has to follow promises.
 */

/** What the names of these functions begin with. */
export const FRAME_PREFIX = 'dogslow#'

export type Call = (fn: Function, self: unknown, first: unknown, second: unknown, third?: unknown, fourth?: unknown) => unknown
type CallAsync = (...args: Parameters<Call>) => Promise<unknown>
type Follow = (result: PromiseLike<unknown>) => Promise<unknown>

/** The functions of one place in the table of requests; who holds the place next is called by them again. */
export interface Frames {
  readonly call: Call
  /** For an `async` function: both in one. */
  readonly callAsync: CallAsync
  /** Where a hook or handler has returned a promise: the frame that awaits it. */
  readonly follow: Follow
}

export function makeFrames (name: string): Frames {
  const named = `${FRAME_PREFIX}${name}`
  return {
    call: { [named] (fn: Function, self: unknown, first: unknown, second: unknown, third?: unknown, fourth?: unknown) { return fn.call(self, first, second, third, fourth) } }[named] as Call,
    callAsync: { async [named] (fn: Function, self: unknown, first: unknown, second: unknown, third?: unknown, fourth?: unknown) { return await fn.call(self, first, second, third, fourth) } }[named] as CallAsync,
    follow: { async [named] (result: PromiseLike<unknown>) { return await result } }[named] as Follow
  }
}
