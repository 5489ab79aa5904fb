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
  const missing = route && described<RouteContext>(route.value, 'fastify.404ContextKey')
  const hooks = route && described<{ readonly preHandler: readonly unknown[] }>(route.value.server, 'fastify.hooks')
  if (hooks !== undefined && missing?.value?.preHandler != null && missing.value.server === route!.value.server) {
    const left = missing.value.preHandler.slice(hooks.value.preHandler.length)
    const once = variant(missing.value, 'preHandler', left.length === 0 ? null : left)
    Object.assign(request, { [route!.key]: variant(route!.value, missing.key, once) })
  }
  reply.callNotFound()
}

/** What Fastify keeps under a symbol, which is not exported, but described. */
function described<Value> (owner: object, description: string): { readonly key: symbol, readonly value: Value } | undefined {
  const key = Object.getOwnPropertySymbols(owner).find(symbol => symbol.description === description)
  return key === undefined ? undefined : { key, value: (owner as Record<symbol, Value>)[key]! }
}

/** The record is that of all requests: this one's differs by one property. */
function variant (context: RouteContext, key: string | symbol, value: unknown): RouteContext {
  return Object.create(context, { [key]: { value } }) as RouteContext
}
