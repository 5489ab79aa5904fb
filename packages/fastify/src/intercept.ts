import type { FastifyInstance, FastifyReply, FastifyRequest, preValidationHookHandler, RouteHandlerMethod, RouteOptions } from 'fastify'
import { urlShower } from '@geordi/profile/hide'
import type { Replay, Replays } from '@geordi/replay'
import { isAdmin } from './admin.ts'
import { answerFailure, answerFromElsewhere, answerQueued, asGeordiError } from './answer.ts'
import { auditor } from './audit.ts'
import { BodyTap } from './body-tap.ts'
import { captureRequest } from './capture.ts'
import { GeordiError } from './errors.ts'
import { withoutFlag } from './flag.ts'
import type { GeordiSettings } from './options.ts'
import type { AnswerPage } from './page-routes.ts'
import type { Place } from './place.ts'
import { senderOf, type Sender } from './sender.ts'

/** A flagged request on its way to the handler. */
export interface FlaggedRequest {
  /** Path and query without the flag. */
  readonly url: string
  readonly sender: Sender
  readonly body: BodyTap
}

/** The pages that routes of the app's own stand in front of. */
export interface HostedPages {
  readonly hostedPlace: (request: FastifyRequest) => Place | null
  readonly answerPage: AnswerPage
}

/**
 * Watches all requests for the flag and, for admins, takes them in place of the route's handler. The tap
 * begins at the very first hook, the decision is the very last thing before the handler: only there have
 * all the app's own hooks run. Of handler, route hook and root hook only a wrapped handler stays last when
 * another plugin appends a preHandler.
 */
export function intercept (fastify: FastifyInstance, replays: Replays, settings: GeordiSettings, { hostedPlace, answerPage }: HostedPages): void {
  const watched = new WeakMap<FastifyRequest, FlaggedRequest | Place>()
  const audit = auditor(settings)
  const shown = urlShower(settings.hide)
  let routes = 0

  fastify.addHook('onRequest', (request, reply, done) => {
    const found = hostedPlace(request) ?? tapFlagged(request, reply)
    if (found !== null) watched.set(request, found)
    done()
  })

  fastify.addHook('onRoute', route => {
    routes++
    route.handler = wrapHandler(route.handler)
    hideFlagFromSchema(route)
  })

  fastify.addHook('onReady', async () => {
    if (routes === 0) {
      throw new GeordiError('GEORDI_NO_ROUTES',
        'geordi sees no route: it was registered after them, or in a plugin of its own. Put `await app.register(geordi, …)` on the root instance before your routes.')
    }
  })

  function tapFlagged (request: FastifyRequest, reply: FastifyReply): FlaggedRequest | null {
    // The client's own URL: the app's `rewriteUrl` will see the replay's too.
    const url = withoutFlag(request.originalUrl, settings.parameter)
    if (url === null || isUpgrade(request)) return null
    const body = new BodyTap(request.raw, settings.bodyLimit)
    reply.raw.once('close', () => body.release())
    return { url, sender: senderOf(request), body }
  }

  function wrapHandler (handler: RouteHandlerMethod): RouteHandlerMethod {
    const wrapper: RouteHandlerMethod = function (request, reply) {
      const found = watched.get(request)
      return found === undefined ? handler.call(this, request, reply) : decide.call(this, found, handler, request, reply)
    }
    // Other tools name a route's spans after its handler.
    return Object.defineProperty(wrapper, 'name', { value: handler.name })
  }

  async function decide (this: FastifyInstance, found: FlaggedRequest | Place, handler: RouteHandlerMethod, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (!await isAdmin(request, settings)) {
      if ('body' in found) found.body.release()
      return forward(() => handler.call(this, request, reply), reply)
    }
    if ('id' in found) return answerPage(request, reply, found)
    if (found.sender !== 'own') return refuse.call(this, found, handler, request, reply)
    let replay: Replay
    try {
      const body = await found.body.whole()
      replay = await replays.submit(await captureRequest(request, { url: found.url, body }, settings, shown))
    } catch (error) {
      const failure = asGeordiError(error)
      await audit(request, { action: 'refusal', method: request.method, url: found.url, code: failure.code })
      return answerFailure(request, reply, failure)
    }
    await audit(request, { action: 'capture', method: request.method, url: found.url, by: replay.by, id: replay.id })
    return answerQueued(request, reply, replay, settings)
  }

  /** What others made an admin's browser send must not work for them: what they can see is as without geordi. */
  async function refuse (this: FastifyInstance, { sender, url, body }: FlaggedRequest, handler: RouteHandlerMethod, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const failure = new GeordiError('GEORDI_FROM_ELSEWHERE', 'The request was not profiled and did not run, because it was not sent from here: another site linked to it, or the browser loads it ahead.')
    const audited = audit(request, { action: 'refusal', method: request.method, url, code: failure.code })
    if (sender === 'embedded') {
      body.release()
      return forward(() => handler.call(this, request, reply), reply)
    }
    await audited
    // A client that still sends would not see the answer.
    await body.whole().catch(() => {})
    return answerFromElsewhere(request, reply, failure)
  }

  /** A strict query schema would answer 400 to the flag. Admins shall not see that; others must, as without geordi. */
  function hideFlagFromSchema (route: RouteOptions): void {
    const schema = route.schema as { querystring?: unknown, query?: unknown } | undefined
    if (schema?.querystring === undefined && schema?.query === undefined) return
    // With a callback: unflagged requests shall not pay for a promise.
    const hide: preValidationHookHandler = (request, _reply, done) => {
      const found = watched.get(request)
      if (found === undefined || ('body' in found && found.sender === 'embedded')) return done()
      isAdmin(request, settings).then(admin => {
        if (admin) Reflect.deleteProperty(request.query as object, settings.parameter)
        done()
      })
    }
    route.preValidation = [...[route.preValidation ?? []].flat(), hide]
  }
}

/** A WebSocket is no request that ends; the flag is the app's own there. */
function isUpgrade (request: FastifyRequest): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Runs a handler for an asynchronous one in its place. One that returns nothing at once sends by itself, some
 * time; an async function that returned nothing would send an empty answer, so it waits for the answer's end.
 */
async function forward (handle: () => unknown, reply: FastifyReply): Promise<unknown> {
  let result
  try {
    result = handle()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // At once, as Fastify does: a handler that has sent before it threw has its answer replaced.
    reply.send(error)
  }
  if (result !== undefined || reply.sent) return result
  return new Promise<void>(resolve => reply.raw.once('close', resolve))
}
