import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { run } from './frames.ts'
import { openRequestOf, type OpenRequest } from './open-request.ts'

/** Hooks that a request waits for, and how many arguments they have without a callback. */
const HOOKS = new Map([['onRequest', 2], ['preParsing', 3], ['preValidation', 2], ['preHandler', 2], ['preSerialization', 3], ['onSend', 3], ['onError', 3]])

type AnyFunction = (this: unknown, ...args: any[]) => unknown

/** Has the app's hooks and handlers called in the name of their request, so that stacks tell whose code runs. */
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
    nameHandler(route)
    const hooks = route as unknown as Record<string, AnyFunction | AnyFunction[] | undefined>
    for (const name of HOOKS.keys()) {
      const own = hooks[name]
      if (own !== undefined) hooks[name] = Array.isArray(own) ? own.map(fn => namedHook(name, fn)) : namedHook(name, own)
    }
  })
}

/** Of routes that Fastify makes of others (HEAD of GET) the handler is named already. */
const originals = new WeakMap<Function, AnyFunction>()

function nameHandler (route: RouteOptions): void {
  const handler = originals.get(route.handler) ?? route.handler as AnyFunction
  let isFastifys: boolean | undefined
  const named = like(handler, function (this: unknown, request: FastifyRequest, reply: FastifyReply) {
    const open = openRequestOf(request)
    if (open === undefined) return handler.call(this, request, reply)
    // Another route's may have kept this one and call it.
    const isInner = open.inHandler
    open.inHandler = true
    const result = run(open, handler, this, request, reply)
    // No other thenable: a reply is one.
    if (!(result instanceof Promise)) return result
    // A plugin's hook may have put a function around this one since.
    isFastifys ??= route.handler === named
    return isFastifys && !isInner ? new Answer(open, result) : held(open, result)
  })
  originals.set(named, handler)
  route.handler = named as RouteOptions['handler']
}

function namedHook (name: string, hook: AnyFunction): AnyFunction {
  // Those with a callback run within the frame of what went before them. (An async one with a callback is refused by Fastify, which must see it.)
  if (typeof hook !== 'function' || hook.length > HOOKS.get(name)!) return hook
  return like(hook, function (this: unknown, request: FastifyRequest, reply: FastifyReply, third: unknown, fourth: unknown) {
    const open = openRequestOf(request)
    if (open === undefined) return hook.call(this, request, reply, third, fourth)
    const result = run(open, hook, this, request, reply, third, fourth)
    return result instanceof Promise ? held(open, result) : result
  })
}

/** What a handler has promised, for who calls `then` once and no more. Another promise between would cost some tenths of a microsecond. */
class Answer {
  readonly #open: OpenRequest
  readonly #result: Promise<unknown>

  constructor (open: OpenRequest, result: Promise<unknown>) {
    this.#open = open
    this.#result = result
  }

  then (fulfilled: (value: unknown) => unknown, rejected: (error: unknown) => unknown): Promise<unknown> {
    const handled = this.#result.then(fulfilled, rejected)
    this.#open.awaits(handled)
    return handled
  }
}

/** A promise of the same, for whoever awaits it. */
function held (open: OpenRequest, result: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // Not these themselves: from a promise that they settle V8 goes on to that one, and who awaits it.
    open.awaits(result.then(value => resolve(value), (error: unknown) => reject(error)))
  })
}

/** Other tools name a route's spans after its handler. */
function like (original: AnyFunction, replacement: AnyFunction): AnyFunction {
  return Object.defineProperty(replacement, 'name', { value: original.name })
}
