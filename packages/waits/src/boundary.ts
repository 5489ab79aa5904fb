/**
 * The one file through which recorded code is called in a context of its own: callbacks, Fastify's hooks and handlers. Stacks are
 * cut at frames of this file, because what called it is not what caused it.
 */

/** This file, as V8 tells it in stacks and profiles. */
export const BOUNDARY_URL = import.meta.url

/** Where this package's own files are; their frames are never an app's. */
export const OWN_FOLDER = new URL('.', import.meta.url).href

/** Calls `fn`. What is below the frame of this function is no caller. */
export function callAcrossBoundary (fn: Function, self: unknown, args: unknown[]): unknown {
  return Reflect.apply(fn, self, args)
}
