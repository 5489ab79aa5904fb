import { types } from 'node:util'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { openRequestOf } from './requests.ts'

/** Hooks that a request waits for, and how many arguments they have without a callback. */
const HOOKS = new Map([['onRequest', 2], ['preParsing', 3], ['preValidation', 2], ['preHandler', 2], ['preSerialization', 3], ['onSend', 3], ['onError', 3]])

type AnyFunction = (this: unknown, ...args: any[]) => unknown

/** Has the app's hooks and handlers called by functions that are named after the request, so that stacks tell whose code runs. */
export function nameCalls (fastify: FastifyInstance): void {
  const { addHook } = fastify as unknown as { addHook: AnyFunction }
  Object.defineProperty(fastify, 'addHook', {
    configurable: true,
    writable: true,
    value: Object.defineProperty(function (this: unknown, name: string, fn: AnyFunction) {
      return addHook.call(this, name, HOOKS.has(name) ? namedHook(name, fn) : fn)
    }, 'name', { value: 'addHook' })
  })
  fastify.addHook('onRoute', route => {
    route.handler = namedHandler(route.handler as AnyFunction) as RouteOptions['handler']
    const hooks = route as unknown as Record<string, AnyFunction | AnyFunction[] | undefined>
    for (const name of HOOKS.keys()) {
      const own = hooks[name]
      if (own !== undefined) hooks[name] = Array.isArray(own) ? own.map(fn => namedHook(name, fn)) : namedHook(name, own)
    }
  })
}

function namedHandler (handler: AnyFunction): AnyFunction {
  const isAsync = types.isAsyncFunction(handler)
  return like(handler, function (this: unknown, request: FastifyRequest, reply: FastifyReply) {
    const open = openRequestOf(request)
    if (open === undefined) return handler.call(this, request, reply)
    open.inHandler = true
    if (isAsync) return open.frames.callAsync(handler, this, request, reply)
    const { call, follow } = open.frames
    const result = call(handler, this, request, reply)
    // No other thenable: a reply is one.
    return result instanceof Promise ? follow(result) : result
  })
}

function namedHook (name: string, hook: AnyFunction): AnyFunction {
  // Those with a callback run within the frame of what went before them. (An async one with a callback is refused by Fastify, which must see it.)
  if (typeof hook !== 'function' || hook.length > HOOKS.get(name)!) return hook
  const isAsync = types.isAsyncFunction(hook)
  return like(hook, function (this: unknown, request: FastifyRequest, reply: FastifyReply, third: unknown, fourth: unknown) {
    const open = openRequestOf(request)
    if (open === undefined) return hook.call(this, request, reply, third, fourth)
    if (isAsync) return open.frames.callAsync(hook, this, request, reply, third, fourth)
    const { call, follow } = open.frames
    const result = call(hook, this, request, reply, third, fourth)
    return result instanceof Promise ? follow(result) : result
  })
}

/** Other tools name a route's spans after its handler. */
function like (original: AnyFunction, replacement: AnyFunction): AnyFunction {
  return Object.defineProperty(replacement, 'name', { value: original.name })
}
