import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { Replay, ReplayError } from '@geordi/replay'
import { REPORT } from '@geordi/replay'
import { GeordiError } from './errors.ts'
import { elsewherePage, errorPage } from './html.ts'
import type { GeordiSettings } from './options.ts'
import { address } from './place.ts'
import { isSafe } from './sender.ts'

export type Kind = 'html' | 'json' | 'other'

const KINDS: Readonly<Record<string, Kind>> = Object.freeze({ 'application/pdf': 'other', 'text/html': 'html', 'application/json': 'json' })
/** Seconds after which to ask again. */
export const RETRY_AFTER = 1
/** The same where a replay has to end first. */
const RETRY_AFTER_REPLAY = 10

/** What the client wants; «other» is curl and wget, which say anything. */
export function wanted (request: FastifyRequest): Kind {
  const type = new Negotiator(request.raw).mediaType(Object.keys(KINDS))
  return type === undefined ? 'other' : KINDS[type]!
}

/** The answer to a flagged request: where its report will be. */
export function answerQueued (request: FastifyRequest, reply: FastifyReply, replay: Replay, settings: GeordiSettings): FastifyReply {
  const page = address(replay.id, settings)
  const pdf = address(replay.id, settings, REPORT)
  switch (wanted(request)) {
    case 'html': return seeOther(reply, page)
    case 'json': return sendJson(reply.code(202), { id: replay.id, state: replay.state, url: page, pdf })
    case 'other': return seeOther(reply, `${pdf}?wait`)
  }
}

/** An admin's flagged request that was not queued. */
export function answerFailure (request: FastifyRequest, reply: FastifyReply, failure: GeordiError): FastifyReply {
  request.log.warn({ err: failure }, 'geordi did not queue a flagged request')
  return answerError(request, reply, failure)
}

/** An admin's flagged request that another site has caused. */
export function answerFromElsewhere (request: FastifyRequest, reply: FastifyReply, failure: GeordiError): FastifyReply {
  return answerError(request, reply, failure, elsewherePage(failure.message, isSafe(request) ? request.originalUrl : undefined))
}

/** Says what went wrong in the form the client wants; `page` where a browser is to see more than the message. */
export function answerError (request: FastifyRequest, reply: FastifyReply, failure: { statusCode: number, code: string, message: string }, page = errorPage(failure.message)): FastifyReply {
  const { statusCode, code, message } = failure
  if (statusCode === 503) reply.header('retry-after', RETRY_AFTER)
  if (statusCode === 429) reply.header('retry-after', RETRY_AFTER_REPLAY)
  reply.code(statusCode)
  switch (wanted(request)) {
    case 'html': return sendHtml(reply, page)
    case 'json': return sendJson(reply, { statusCode, code, error: 'GeordiError', message })
    case 'other': return sendText(reply, message)
  }
}

/** @throws what is neither ours nor the queue's: the app's error handler is for that. */
export function asGeordiError (error: unknown): GeordiError {
  if (error instanceof GeordiError) return error
  const { code, message } = error as ReplayError
  if (code === 'GEORDI_QUEUE_UNAVAILABLE' || code === 'GEORDI_TOO_MANY_OPEN' || code === 'GEORDI_QUEUE_FULL') {
    return new GeordiError(code, `The request was not profiled and did not run. ${message}`, { cause: error })
  }
  throw error
}

export function seeOther (reply: FastifyReply, location: string): FastifyReply {
  return send(reply.code(303).header('location', location), 'text/plain; charset=utf-8', location)
}

export function sendJson (reply: FastifyReply, value: unknown): FastifyReply {
  return send(reply, 'application/json; charset=utf-8', JSON.stringify(value))
}

export function sendText (reply: FastifyReply, text: string): FastifyReply {
  return send(reply, 'text/plain; charset=utf-8', `${text}\n`)
}

export function sendHtml (reply: FastifyReply, html: string): FastifyReply {
  return send(reply.header('content-security-policy', "default-src 'none'; style-src 'self' 'unsafe-inline'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"), 'text/html; charset=utf-8', html)
}

/** A buffer passes the app's serializers: a response schema would turn an object into its own or a 500, and `reply.serializer()` of a hook any text. */
export function send (reply: FastifyReply, type: string, body: string | Uint8Array): FastifyReply {
  return reply
    .header('content-type', type)
    .header('cache-control', 'no-store')
    // Without the origin, which `no-referrer` keeps from our own site as well, a form on our pages can't be told from another site's.
    .header('referrer-policy', 'same-origin')
    .header('x-content-type-options', 'nosniff')
    .send(typeof body === 'string' ? Buffer.from(body) : body)
}
