import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { BoxError } from './errors.ts'
import { parseDuration } from './fastify/duration.ts'
import { addSignal } from './fastify/signal.ts'
import { describeWork } from './fastify/work.ts'
import { RouteTimeoutError } from './fastify/route-timeout.ts'
import type { RunningAsyncBox } from './async-box.ts'
import { timeoutAsync } from './timeout-async.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How long the route's handler may take: milliseconds, or a text such as `'500ms'`, `'20s'`, `'2m'`. */
    timebox?: number | string
  }
}

/** How the plugin answers. */
export interface TimeboxOptions {
  /**
   * What `Retry-After` tells a client to wait, in whole seconds.
   * @defaultValue 10
   */
  readonly retryAfter?: number
}

export { RouteTimeoutError } from './fastify/route-timeout.ts'

const DEFAULT_RETRY_AFTER = 10

/**
 * Fastify plugin: routes with `config: { timebox: '20s' }` run their handler in a box. When the time is up, the
 * request fails with a `RouteTimeoutError`: 503 with `Retry-After`, through the application's error handler.
 * `request.signal` is aborted then, and what the request was doing is logged as a warning.
 *
 * ```ts
 * await app.register(timebox)
 * app.get('/report', { config: { timebox: '20s' } }, async request => build({ signal: request.signal }))
 * ```
 *
 * Register it before the routes, and await it. Each `timebox` is checked when its route is added.
 *
 * @throws BoxError `GEORDI_BOX_BAD_OPTION`
 */
export const timebox = fastifyPlugin(timeboxPlugin, { fastify: '5.x', name: '@geordi/interruptingcow' })
export default timebox

async function timeboxPlugin (app: FastifyInstance, options: TimeboxOptions): Promise<void> {
  const { retryAfter = DEFAULT_RETRY_AFTER, ...others } = options
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new BoxError('GEORDI_BOX_BAD_OPTION', `"${unknown}" is no option of the timebox plugin: it has retryAfter.`)
  if (!Number.isInteger(retryAfter) || retryAfter < 0) {
    throw new BoxError('GEORDI_BOX_BAD_OPTION', `The option "retryAfter" of the timebox plugin takes whole seconds, not ${String(retryAfter)}.`)
  }
  app.addHook('onRoute', route => {
    const setting = route.config?.timebox
    if (setting !== undefined) limitHandler(route, parseDuration(setting, `The timebox of ${String(route.method)} ${route.url}`), retryAfter)
  })
}

function limitHandler (route: RouteOptions, limit: number, retryAfter: number): void {
  const { handler } = route
  const label = `${String(route.method)} ${route.url}`
  route.handler = function (request, reply) {
    const error = () => new RouteTimeoutError(label, limit)
    return timeoutAsync(limit, box => {
      const running = box as RunningAsyncBox
      addSignal(request, box)
      running.onExpire = () => { timeIsUp(running, request, reply, retryAfter) }
      const result = handler.call(this, request, reply) as unknown
      return typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function' ? result : answered(reply, result)
    }, {
      label,
      error,
      onLate: outcome => {
        if (outcome.status === 'rejected') request.log.debug({ err: outcome.reason }, 'the handler failed after its time was up')
        else request.log.debug('the handler ended after its time was up')
      }
    })
  }
}

/** A handler that returns no promise answers when it calls `reply.send`. */
function answered (reply: FastifyReply, result: unknown): unknown {
  if (result !== undefined || reply.sent) return result
  return new Promise<void>(resolve => { reply.raw.once('close', resolve) })
}

function timeIsUp (box: RunningAsyncBox, request: FastifyRequest, reply: FastifyReply, retryAfter: number): void {
  request.log.warn({ timebox: describeWork(box) }, 'the time of the request was up')
  const { raw } = reply
  if (!raw.headersSent) reply.header('Retry-After', String(retryAfter))
  else if (!raw.writableEnded) {
    // Part of the answer is gone already: it can't become a 503 any more, and must not look whole.
    reply.hijack()
    raw.destroy()
  }
}
