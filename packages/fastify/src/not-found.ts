import type { FastifyReply, FastifyRequest } from 'fastify'

/** What is used of Fastify's own record of a route. */
interface RouteContext {
  readonly server: object
  /** Those of the instance, each bound to it, and then the route's own. */
  readonly preHandler: readonly unknown[] | null
}

/**
 * Has the app's 404 answer a request that has come to a route of ours, after its `preHandler` hooks. Fastify's `callNotFound` runs those
 * of the 404, and so the instance's once more; that nobody can tell, the 404 is left with those that have not run. There is no
 * public way: where a version of Fastify keeps its records elsewhere, or the 404 is another instance's, they run as
 * `callNotFound` has them run.
 */
export function callNotFound (request: FastifyRequest, reply: FastifyReply): void {
  const route = described<RouteContext>(request, 'fastify.context')
  if (route !== undefined) {
    const once = runningOnce.get(route.value) ?? withMissingOnce(route.value)
    // Who is no admin must not wait for it to be made: what a record becomes is the same for each request.
    runningOnce.set(route.value, once)
    Object.assign(request, { [route.key]: once })
  }
  reply.callNotFound()
}

/** Records of our routes, as {@link withMissingOnce} makes them. */
const runningOnce = new WeakMap<RouteContext, RouteContext>()

/** A route's record, but that its 404 runs no hooks of the instance's. */
function withMissingOnce (route: RouteContext): RouteContext {
  const missing = described<RouteContext>(route, 'fastify.404ContextKey')
  const hooks = described<{ readonly preHandler: readonly unknown[] }>(route.server, 'fastify.hooks')
  if (hooks === undefined || missing?.value?.preHandler == null || missing.value.server !== route.server) return route
  const left = missing.value.preHandler.slice(hooks.value.preHandler.length)
  return variant(route, missing.key, variant(missing.value, 'preHandler', left.length === 0 ? null : left))
}

/** What Fastify keeps under a symbol, which is not exported, but described. */
function described<Value> (owner: object, description: string): { readonly key: symbol, readonly value: Value } | undefined {
  const key = Object.getOwnPropertySymbols(owner).find(symbol => symbol.description === description)
  return key === undefined ? undefined : { key, value: (owner as Record<symbol, Value>)[key]! }
}

/** The same record, but for one property. */
function variant (context: RouteContext, key: string | symbol, value: unknown): RouteContext {
  return Object.create(context, { [key]: { value } }) as RouteContext
}
