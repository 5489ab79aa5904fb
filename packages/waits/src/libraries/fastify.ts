import { subscribe } from 'node:diagnostics_channel'
import { look } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'

/** Hooks that run within a request; `onRoute` and the like run at the start. */
const REQUEST_HOOKS = [
  'onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse', 'onError', 'onTimeout', 'onRequestAbort'
] as const

type Route = Record<typeof REQUEST_HOOKS[number] | 'handler', unknown> & { readonly url: string }

interface Instance {
  addHook (name: string, hook: Function): unknown
}

/** A hook that calls `done()` calls, in the end, all that follows: without roots of their own, that would be callees of the hook's. */
export function patchFastify (): void {
  subscribe('fastify.initialization', message => {
    const { fastify } = message as { fastify: Instance }
    // First, so that it sees each route before other hooks add to it; those add hooks that are no roots.
    fastify.addHook('onRoute', (route: Route) => {
      for (const name of REQUEST_HOOKS) {
        if (route[name] !== undefined) route[name] = asHooks(route[name])
      }
      if (typeof route.handler === 'function') route.handler = asHandler(route.handler, route.url)
    })
    const { addHook } = fastify
    // Encapsulated instances inherit it.
    fastify.addHook = function (this: Instance, name, hook) {
      const isRequestHook = (REQUEST_HOOKS as readonly string[]).includes(name) && typeof hook === 'function'
      return addHook.call(this, name, isRequestHook ? asHook(hook) : hook)
    }
  })
}

function asHooks (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asHooks)
  return typeof value === 'function' ? asHook(value) : value
}

/** Its last argument is what it calls when it is done, if it isn't asynchronous. */
function asHook (fn: Function): Function {
  return asRoot(fn, (recorder, self, args) => {
    const done = args.at(-1)
    return recorder.run(fn, self, typeof done === 'function' ? args.with(-1, (...results: unknown[]) => recorder.run(done, undefined, results)) : args)
  })
}

/** V8 doesn't tell where a function is defined before it has been seen to run, and this one may do too little for that; who registers its route is near by. */
function asHandler (fn: Function, url: string): Function {
  const registered = new Error()
  return asRoot(fn, (recorder, self, args) => recorder.runHandler({ url, registered }, fn, self, args))
}

function asRoot (fn: Function, run: (recorder: Recorder, self: unknown, args: unknown[]) => unknown): Function {
  const root = function (this: unknown, ...args: unknown[]): unknown {
    const recorder = activeRecorder()
    return recorder === undefined ? Reflect.apply(fn, this, args) : run(recorder, this, args)
  }
  // Fastify counts a hook's parameters.
  look(root, fn)
  return root
}
