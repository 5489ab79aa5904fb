/*
 * Whose code runs is told by the stack: each request's hooks and handler are called by a function that is named after the request. V8's stack
 * traces have its frame below theirs, across `await` too. So nothing has to follow promises.
 */

/** What the names of these functions begin with. */
export const FRAME_PREFIX = 'dogslow#'

type Call = (fn: Function, self: unknown, first: unknown, second: unknown, third?: unknown, fourth?: unknown) => unknown
type CallAsync = (...args: Parameters<Call>) => Promise<unknown>
type Follow = (result: PromiseLike<unknown>) => Promise<unknown>

/** The functions of one place in the table of requests; who holds the place next is called by them again. Each is made when it is needed: there may be ten thousand places. */
export class Frames {
  readonly call: Call
  readonly #name: string
  #callAsync: CallAsync | undefined
  #follow: Follow | undefined

  constructor (name: string) {
    const named = `${FRAME_PREFIX}${name}`
    this.#name = named
    this.call = { [named] (fn: Function, self: unknown, first: unknown, second: unknown, third?: unknown, fourth?: unknown) { return fn.call(self, first, second, third, fourth) } }[named] as Call
  }

  /** Calls an `async` function, and is the frame that awaits it. */
  get callAsync (): CallAsync {
    this.#callAsync ??= makeCallAsync(this.#name)
    return this.#callAsync
  }

  /** Where a hook or handler has returned a promise: the frame that awaits it. */
  get follow (): Follow {
    this.#follow ??= makeFollow(this.#name)
    return this.#follow
  }
}

function makeCallAsync (named: string): CallAsync {
  return { async [named] (fn: Function, self: unknown, first: unknown, second: unknown, third?: unknown, fourth?: unknown) { return await fn.call(self, first, second, third, fourth) } }[named] as CallAsync
}

function makeFollow (named: string): Follow {
  return { async [named] (result: PromiseLike<unknown>) { return await result } }[named] as Follow
}
