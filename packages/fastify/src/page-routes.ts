import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { isAdmin } from './admin.ts'
import type { GeordiSettings } from './options.ts'
import { placeReader, sampleAddresses, type Place } from './place.ts'

export type AnswerPage = (request: FastifyRequest, reply: FastifyReply, place: Place) => Promise<FastifyReply>

/** The name of our constraint strategy, one for all geordis of an app. */
const STRATEGY = 'geordi'
/** Marks the configuration of our own routes. */
const OURS = Symbol('geordi')
/** A route's `handlerTimeout: 0` falls back to the server's, so «none» is Node's longest timer. */
const NO_TIMEOUT = 2 ** 31 - 1

type Kind = 'page' | 'artefact'

/** Geordi's addresses under one prefix, and which of them are left to routes of the app's own. */
class Addresses {
  /** Its only public property: by it the router knows, and refuses, a second geordi under the same prefix. */
  readonly prefix: string
  readonly #placeOf: (url: string) => Place | null
  readonly #hosted = new Set<Kind>()

  constructor (settings: GeordiSettings) {
    this.prefix = settings.prefix
    this.#placeOf = placeReader(settings)
  }

  at (url: string): Place | null {
    return url.startsWith(this.prefix) ? this.#placeOf(url) : null
  }

  leaveToApp (kind: Kind): void {
    this.#hosted.add(kind)
  }

  isHosted ({ artefact }: Place): boolean {
    return this.#hosted.has(artefact === undefined ? 'page' : 'artefact')
  }

  /** Whether our own route is there for a URL. */
  takes (url: string): boolean {
    const place = this.at(url)
    return place !== null && !this.isHosted(place)
  }
}

/**
 * Has geordi's pages answered, and nothing else of the app changed: a URL that is not exactly one of geordi's addresses
 * goes where it goes without geordi, and so does one that a route of the app's own covers (`/*`, say). There the
 * wrapped handler of that route shows the page.
 *
 * `path` is the prefix within this instance.
 * @returns tells, first thing in a request, whether it asks for a page on a route of the app's
 */
export function routePages (fastify: FastifyInstance, path: string, settings: GeordiSettings, answer: AnswerPage): (request: FastifyRequest) => Place | null {
  const addresses = new Addresses(settings)
  addStrategy(fastify)
  // A wildcard and not `:id/:artefact`: a parameter over the router's `maxParamLength` is answered with 414.
  fastify.get(`${path}/*`, routeOptions(addresses), async (request, reply) => {
    const place = addresses.at(request.url)
    if (place !== null && await isAdmin(request, settings)) return answer(request, reply, place)
    reply.callNotFound()
    return reply
  })

  const samples = sampleAddresses(settings)
  const isCovered = (kind: Kind) => fastify.findRoute({ method: 'GET', url: samples[kind] }) !== null
  // A route that this instance does not see is not wrapped and can't show a page, so ours stays in front of it.
  fastify.addHook('onRoute', () => {
    const uncovered = (['page', 'artefact'] as const).filter(kind => !isCovered(kind))
    // The router knows the route as soon as this hook has returned.
    queueMicrotask(() => { for (const kind of uncovered) if (isCovered(kind)) addresses.leaveToApp(kind) })
  })

  return request => {
    const place = addresses.at(request.url)
    if (place === null || (request.method !== 'GET' && request.method !== 'HEAD')) return null
    disguise(request)
    return addresses.isHosted(place) ? place : null
  }
}

/** Exempt from the app's rate limit (polling is what the pages do), its timeouts and its API documentation. */
function routeOptions (addresses: Addresses): RouteShorthandOptions {
  return {
    config: { rateLimit: false, [OURS]: true } as object,
    schema: { hide: true } as object,
    handlerTimeout: NO_TIMEOUT,
    constraints: { [STRATEGY]: addresses }
  }
}

/**
 * Lets a route decide by the URL itself whether it is there. It costs every request of the app 3 to 25 ns, measured in
 * find-my-way's lookup: the URL is handed on, and looked at only under geordi's prefix.
 */
function addStrategy (fastify: FastifyInstance): void {
  if (fastify.hasConstraintStrategy(STRATEGY)) return
  const storage = () => {
    let route: { addresses: Addresses, handler: unknown } | undefined
    return {
      // The router asks with the route's own value, too, while it adds the route.
      get: (url: unknown) => typeof url === 'string' && route?.addresses.takes(url) === true ? route.handler : null,
      set: (addresses: unknown, handler: unknown) => { route = { addresses: addresses as Addresses, handler } }
    }
  }
  const deriveConstraint = (request: { url?: string }) => request.url
  fastify.addConstraintStrategy({ name: STRATEGY, storage, deriveConstraint } as Parameters<FastifyInstance['addConstraintStrategy']>[0])
}

/**
 * To the app's hooks, a request for a page looks like any other that finds no route: `is404`, `routeOptions`, `params`.
 * The configuration is the route's and is emptied once; it can't be had before the first request.
 */
function disguise (request: FastifyRequest): void {
  const config = request.routeOptions.config as object as Record<string | symbol, unknown>
  if (config[OURS] !== true) return
  for (const key of Object.keys(config)) Reflect.deleteProperty(config, key)
  request.params = { '*': request.url.slice(1).split('?', 1)[0] }
}
