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

/** A hook that calls `done()` calls, in the end, all that follows: without a root of its own, each would be the callee of the one before. */
export function patchFastify (): void {
  subscribe('fastify.initialization', message => {
    const { fastify } = message as { fastify: Instance }
    // First, so that it sees each route before other hooks add to it; those add hooks that are no roots.
    fastify.addHook('onRoute', (route: Route) => {
      for (const name of REQUEST_HOOKS) {
        if (route[name] !== undefined) route[name] = asRoots(route[name])
      }
      if (typeof route.handler === 'function') route.handler = asHandler(route.handler, route.url)
    })
    const { addHook } = fastify
    // Encapsulated instances inherit it.
    fastify.addHook = function (this: Instance, name, hook) {
      const isRequestHook = (REQUEST_HOOKS as readonly string[]).includes(name) && typeof hook === 'function'
      return addHook.call(this, name, isRequestHook ? asRoot(hook) : hook)
    }
  })
}

function asRoots (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asRoots)
  return typeof value === 'function' ? asRoot(value) : value
}

/** V8 doesn't tell where a function is defined before it has been seen to run; who registers its route is near by. */
function asHandler (fn: Function, url: string): Function {
  const registered = new Error()
  return asRoot(fn, recorder => recorder.reach(url, registered))
}

function asRoot (fn: Function, begins?: (recorder: Recorder) => void): Function {
  const root = function (this: unknown, ...args: unknown[]): unknown {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(fn, this, args)
    begins?.(recorder)
    return recorder.run(fn, this, args)
  }
  // Fastify counts a hook's parameters.
  look(root, fn)
  return root
}
