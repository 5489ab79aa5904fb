/*
 * Whose code runs is told by the stack. What a request's hooks and handler do at once is done within a call of `run`; what they do later is
 * awaited by a function that is named after the request: V8's asynchronous stack traces have its frame below theirs. So nothing has to follow
 * promises, and the name can wait until somebody asks for a stack.
 */
import type { OpenRequest } from './open-request.ts'

/** What the names of these functions begin with. */
export const FRAME_PREFIX = 'dogslow#'
/** A frame of this name is {@link run}'s, which calls for all requests. */
export const RUN = `${FRAME_PREFIX}run`

let running: OpenRequest | undefined

/** The request whose hook or handler has been called, and has not returned. */
export function runningRequest (): OpenRequest | undefined {
  return running
}

/** Calls a hook or handler in the name of a request. */
export const run = {
  [RUN] (open: OpenRequest, fn: Function, self?: unknown, first?: unknown, second?: unknown, third?: unknown, fourth?: unknown): unknown {
    const outer = running
    running = open
    try {
      return fn.call(self, first, second, third, fourth)
    } finally {
      running = outer
    }
  }
}[RUN]!

/**
 * Awaits something in a function of that name. Of an app with async hooks of its own it calls those for new promises, in an interrupt as well; an
 * `AsyncLocalStorage` of Node 20 or 22 has such a hook, so that to name each request before would cost the most where there are requests the most.
 */
export function follow (name: string, promise: Promise<unknown>): void {
  // A rejection is told as that of an unhandled promise here as well, since nobody handles this one.
  const functions = { async [name] () { await promise } }
  functions[name]!()
}
