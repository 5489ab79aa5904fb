import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify'
import type { Replays } from '@geordi/replay'
import { isAdmin } from './admin.ts'
import { answerFailure, answerQueued } from './answer.ts'
import { BodyTap } from './body-tap.ts'
import { captureRequest } from './capture.ts'
import { GeordiError } from './errors.ts'
import { withoutFlag } from './flag.ts'
import type { GeordiSettings } from './options.ts'

/** A flagged request on its way to the handler. */
export interface FlaggedRequest {
  /** Path and query without the flag. */
  readonly url: string
  readonly body: BodyTap
}

/**
 * Watches all requests for the flag and, for admins, takes them in place of the route's handler. The tap
 * begins at the very first hook, the decision is the very last thing before the handler: only there have
 * all the app's own hooks run. Of handler, route hook and root hook only a wrapped handler stays last when
 * another plugin appends a preHandler.
 */
export function intercept (fastify: FastifyInstance, replays: Replays, settings: GeordiSettings): void {
  const flagged = new WeakMap<FastifyRequest, FlaggedRequest>()
  const wrapped = new WeakSet<RouteHandlerMethod>()
  let routes = 0

  fastify.addHook('onRequest', (request, reply, done) => {
    const url = withoutFlag(request.raw.url!, settings.parameter)
    if (url !== null) {
      const body = new BodyTap(request.raw, settings.bodyLimit)
      reply.raw.once('close', () => body.release())
      flagged.set(request, { url, body })
    }
    done()
  })

  fastify.addHook('onRoute', route => {
    routes++
    // Fastify makes a GET route's HEAD twin from the options that were wrapped for GET.
    if (wrapped.has(route.handler)) return
    const handler = wrapHandler(route.handler)
    wrapped.add(handler)
    route.handler = handler
    hideFlagFromSchema(route)
  })

  fastify.addHook('onReady', async () => {
    if (routes === 0) {
      throw new GeordiError('GEORDI_NO_ROUTES',
        'geordi sees no route: it was registered after them, or in a plugin of its own. Put `await app.register(geordi, …)` on the root instance before your routes.')
    }
  })

  function wrapHandler (handler: RouteHandlerMethod): RouteHandlerMethod {
    const wrapper: RouteHandlerMethod = function (request, reply) {
      const found = flagged.get(request)
      return found === undefined ? handler.call(this, request, reply) : decide.call(this, found, handler, request, reply)
    }
    // Other tools name a route's spans after its handler.
    return Object.defineProperty(wrapper, 'name', { value: handler.name })
  }

  async function decide (this: FastifyInstance, found: FlaggedRequest, handler: RouteHandlerMethod, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (!await isAdmin(request, settings)) {
      found.body.release()
      return forward(handler.call(this, request, reply), reply)
    }
    try {
      const captured = await captureRequest(request, found, settings)
      return await answerQueued(request, reply, await replays.submit(captured), settings)
    } catch (error) {
      return await answerFailure(request, reply, error)
    } finally {
      found.body.release()
    }
  }

  /** A strict query schema would answer 400 to the flag. Admins shall not see that; others must, as without geordi. */
  function hideFlagFromSchema (route: RouteOptions): void {
    if (route.schema?.querystring === undefined) return
    const hooks = route.preValidation === undefined ? [] : [route.preValidation].flat()
    route.preValidation = [...hooks, async (request: FastifyRequest) => {
      if (flagged.has(request) && await isAdmin(request, settings)) {
        delete (request.query as Record<string, unknown>)[settings.parameter]
      }
    }] as NonNullable<RouteOptions['preValidation']>
  }
}

/** A handler that is no promise and returns nothing sends by itself; an async function says that by returning the reply. */
async function forward (result: unknown, reply: FastifyReply): Promise<unknown> {
  return result === undefined ? reply : result
}
