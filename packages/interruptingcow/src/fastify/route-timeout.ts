import { TimeoutError } from '../errors.ts'

/** The time of a route is up: Fastify answers it with 503. */
export class RouteTimeoutError extends TimeoutError {
  readonly statusCode = 503

  constructor (route: string, limit: number) {
    super('GEORDI_BOX_TIMEOUT', `${route} took longer than its limit of ${limit} ms.`, limit)
  }
}
