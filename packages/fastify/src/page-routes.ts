import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods, RouteShorthandOptions } from 'fastify'
import { isAdmin } from './admin.ts'
import { callNotFound } from './not-found.ts'
import type { GeordiSettings } from './options.ts'
import { kindOf, placeReader, sampleAddresses, type Place, type PlaceKind } from './place.ts'

export type AnswerPage = (request: FastifyRequest, reply: FastifyReply, place: Place) => Promise<FastifyReply>

/** The name of our constraint strategy, one for all geordis of an app. */
const STRATEGY = 'geordi'
/** Marks the configuration of our own routes. */
const OURS = Symbol('geordi')
/** A route's `handlerTimeout: 0` falls back to the server's, so «none» is Node's longest timer. */
const NO_TIMEOUT = 2 ** 31 - 1

/**
 * What each method finds. A client that repeats its method where it shall GET, after a redirect (`curl -L -X PUT`), means the
 * report. HEAD is answered by GET's route; what is done to a replay is done by POST alone.
 */
const FOUND: Readonly<Record<string, readonly PlaceKind[]>> = Object.freeze({
  GET: ['page', 'artefact'],
  POST: ['artefact', 'action'],
  PUT: ['artefact'],
  PATCH: ['artefact'],
  DELETE: ['artefact']
})

/** Geordi's addresses under one prefix that one method finds, and which of them are left to routes of the app's own. */
class Addresses {
  /** Its only public property: by it the router knows, and refuses, a second geordi under the same prefix. */
  readonly prefix: string
  readonly #placeOf: (url: string) => Place | null
  readonly #found: readonly PlaceKind[]
  readonly #hosted = new Set<PlaceKind>()

  constructor (settings: GeordiSettings, found: readonly PlaceKind[]) {
    this.prefix = settings.prefix
    this.#placeOf = placeReader(settings)
    this.#found = found
  }

  at (url: string): Place | null {
    const place = url.startsWith(this.prefix) ? this.#placeOf(url) : null
    return place !== null && this.#found.includes(kindOf(place)) ? place : null
  }

  /** Calls `isCovered` now and then again: what becomes covered in between is the app's. */
  watch (isCovered: (kind: PlaceKind) => boolean): void {
    const uncovered = this.#found.filter(kind => !isCovered(kind))
    // The router knows the route as soon as the hook that calls this has returned.
    queueMicrotask(() => { for (const kind of uncovered) if (isCovered(kind)) this.#hosted.add(kind) })
  }

  isHosted (place: Place): boolean {
    return this.#hosted.has(kindOf(place))
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
  const byMethod = new Map(Object.entries(FOUND).map(([method, found]) => [method, new Addresses(settings, found)]))
  addStrategy(fastify)
  for (const [method, addresses] of byMethod) {
    // A wildcard and not `:id/:artefact`: a parameter over the router's `maxParamLength` is answered with 414.
    fastify.route({
      method,
      url: `${path}/*`,
      ...routeOptions(addresses),
      handler: async (request, reply) => {
        const place = addresses.at(request.url)
        if (place !== null && await isAdmin(request, settings)) return answer(request, reply, place)
        callNotFound(request, reply)
        return reply
      }
    })
  }

  const samples = sampleAddresses(settings)
  // A route that this instance does not see is not wrapped and can't show a page, so ours stays in front of it.
  fastify.addHook('onRoute', route => {
    for (const method of [route.method].flat()) {
      byMethod.get(method)?.watch(kind => fastify.findRoute({ method: method as HTTPMethods, url: samples[kind] }) !== null)
    }
  })

  return request => {
    const addresses = byMethod.get(request.method === 'HEAD' ? 'GET' : request.method)
    const place = addresses?.at(request.url)
    if (addresses === undefined || place == null) return null
    disguise(request)
    return addresses.isHosted(place) ? place : null
  }
}

/** Exempt from the app's rate limit (polling is what the pages do), its timeouts and its API documentation. */
function routeOptions (addresses: Addresses): RouteShorthandOptions {
  return {
    // A page that waits for its report is not slow.
    config: { rateLimit: false, dogslow: false, [OURS]: true } as object,
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
