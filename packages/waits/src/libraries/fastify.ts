import { subscribe } from 'node:diagnostics_channel'
import { look } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'

/** Hooks that run within a request; `onRoute` and the like run at the start. */
const REQUEST_HOOKS = [
  'onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse', 'onError', 'onTimeout', 'onRequestAbort'
] as const

type Route = Record<typeof REQUEST_HOOKS[number] | 'handler', unknown>

interface Instance {
  addHook (name: string, hook: Function): unknown
}

/** A hook that calls `done()` calls, in the end, all that follows: without a root of its own, each would be the callee of the one before. */
export function patchFastify (): void {
  subscribe('fastify.initialization', message => {
    const { fastify } = message as { fastify: Instance }
    // First, so that it sees each route before other hooks add to it; those add hooks that are no roots.
    fastify.addHook('onRoute', (route: Route) => {
      for (const name of [...REQUEST_HOOKS, 'handler'] as const) {
        if (route[name] !== undefined) route[name] = asRoots(route[name])
      }
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

function asRoot (fn: Function): Function {
  const root = function (this: unknown, ...args: unknown[]): unknown {
    const recorder = activeRecorder()
    return recorder === undefined ? Reflect.apply(fn, this, args) : recorder.run(fn, this, args)
  }
  // Fastify counts a hook's parameters.
  look(root, fn)
  return root
}
