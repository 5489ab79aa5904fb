import type { FastifyReply, FastifyRequest } from 'fastify'
import { setTimeout as delay } from 'node:timers/promises'
import { FINAL_STATES, REPORT, SNAPSHOT, type Replay, type Replays, type ReplayError } from '@geordi/replay'
import { answerError, RETRY_AFTER, seeOther, send, sendHtml, sendJson, sendText, wanted } from './answer.ts'
import { auditor, Novelty } from './audit.ts'
import { GeordiError } from './errors.ts'
import { awayPage, goneText, replayPage } from './html.ts'
import { identityIfKnown } from './identity.ts'
import type { GeordiSettings } from './options.ts'
import type { AnswerPage } from './page-routes.ts'
import { address, ARTEFACTS, type Action, type Place } from './place.ts'
import { senderOf } from './sender.ts'

/** Milliseconds that `?wait` holds a request: short of the timeout of any proxy. */
const WAIT = 20_000
/** Milliseconds between two looks at the store: quick at first, because most replays are, and never late by more than a twentieth. */
const POLL_LEAST = 20
const POLL_MOST = 500
const POLL_SHARE = 0.05

/** A replay, and an artefact of it if that is there. */
interface Found {
  readonly replay: Replay
  readonly bytes: Buffer | null
}

/** What geordi's addresses answer an admin. Nobody is held by `?wait` once `closing` is aborted. */
export function pageAnswers (replays: Replays, settings: GeordiSettings, closing: AbortSignal): AnswerPage {
  const audit = auditor(settings)
  const novelty = new Novelty()

  return async (request, reply, { id, artefact, action }: Place) => {
    try {
      if (action !== undefined) return await order(request, reply, id, action)
      return await (artefact === undefined ? showReplay(request, reply, id) : showArtefact(request, reply, id, artefact))
    } catch (error) {
      return answerTrouble(request, reply, error as ReplayError)
    }
  }

  async function showReplay (request: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply> {
    const replay = await replays.find(id)
    if (replay === null) return notThere(request, reply)
    await auditLook(request, replay)
    if (wanted(request) === 'html') return sendHtml(reply, replayPage(replay, address(id, settings)))
    return sendReplay(reply, replay)
  }

  function sendReplay (reply: FastifyReply, replay: Replay): FastifyReply {
    const { id, method, url } = replay
    return sendJson(reply, { ...replay, url: address(id, settings), pdf: address(id, settings, REPORT), request: { method, url } })
  }

  /** What another site makes an admin's browser send is not followed, as a flagged request isn't. */
  async function order (request: FastifyRequest, reply: FastifyReply, id: string, action: Action): Promise<FastifyReply> {
    if (senderOf(request) !== 'own') {
      const failure = new GeordiError('GEORDI_FROM_ELSEWHERE', 'The order was not followed, because it was not sent from here: another site made the browser send it.')
      await audit(request, { action: 'refusal', method: request.method, url: request.url, id, code: failure.code })
      return answerError(request, reply, failure)
    }
    const by = await identityIfKnown(request, settings)
    const ordered = await replays[action](id, by)
    if (ordered === null) return notThere(request, reply)
    const { replay, at } = ordered
    await audit(request, { action, method: replay.method, url: replay.url, id, by })
    switch (wanted(request)) {
      case 'html': return seeOther(reply, address(id, settings))
      case 'json': return sendReplay(reply.code(202), replay)
      case 'other': return action === 'snapshot' && at !== undefined
        ? seeOther(reply, `${address(id, settings, SNAPSHOT)}?wait=${at}`)
        : sendText(reply.code(202), `The replay is ${replay.state}.`)
    }
  }

  async function showArtefact (request: FastifyRequest, reply: FastifyReply, id: string, artefact: string): Promise<FastifyReply> {
    const { wait } = request.query as { wait?: unknown }
    const found = wait === undefined ? await look(id, artefact) : await settled(request, id, artefact, artefact === SNAPSHOT ? Number(wait) : 0)
    if (found === null) return notThere(request, reply)
    const { replay, bytes } = found
    if (bytes !== null) {
      await audit(request, { action: 'view', method: replay.method, url: replay.url, id, artefact })
      reply.header('content-disposition', `${ARTEFACTS.get(artefact) === PDF ? 'inline' : 'attachment'}; filename="${fileName(replay, artefact)}"`)
      reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'")
      return send(reply, ARTEFACTS.get(artefact)!, bytes)
    }
    if (!FINAL_STATES.has(replay.state)) return pending(reply, replay, wait === undefined ? undefined : address(id, settings, `${artefact}?wait${artefact === SNAPSHOT ? `=${Number(wait)}` : ''}`))
    if (replay.artefacts.includes(artefact)) return notThere(request, reply)
    await auditLook(request, replay)
    return wanted(request) === 'html' ? sendHtml(reply.code(404), replayPage(replay, address(id, settings))) : sendText(reply.code(404), goneText(replay))
  }

  async function auditLook (request: FastifyRequest, { id, state, method, url }: Replay): Promise<void> {
    const by = await identityIfKnown(request, settings)
    if (novelty.isNew(id, state, by, request.ip)) await audit(request, { action: 'view', method, url, id, by })
  }

  /** @param since A snapshot of before that does not count, unless there will be no other. */
  async function look (id: string, artefact: string, since = 0): Promise<Found | null> {
    const replay = await replays.find(id)
    if (replay === null) return null
    const isThere = replay.artefacts.includes(artefact) && (FINAL_STATES.has(replay.state) || (replay.snapshotAt ?? 0) >= since)
    return { replay, bytes: isThere ? await replays.artefact(id, artefact) : null }
  }

  /**
   * The replay once it has ended, or as it was seen last after 20 s or when nobody waits any more. The queue server may
   * be away in between.
   * @throws ReplayError `GEORDI_QUEUE_UNAVAILABLE` when it was away all the time
   */
  async function settled (request: FastifyRequest, id: string, artefact: string, since: number): Promise<Found | null> {
    request.raw.socket.setTimeout(0)
    // On a route of the app's own, the app's limit for handlers holds.
    const most = Math.min(WAIT, 0.8 * (request.routeOptions.handlerTimeout || Infinity))
    const start = performance.now()
    let seen: Found | undefined
    for (;;) {
      let trouble: unknown
      try {
        const found = await look(id, artefact, since)
        if (found === null || found.bytes !== null || FINAL_STATES.has(found.replay.state)) return found
        seen = found
      } catch (error) {
        if (!isAway(error)) throw error
        trouble = error
      }
      const waited = performance.now() - start
      if (waited >= most || request.raw.socket.destroyed || closing.aborted) {
        if (seen !== undefined) return seen
        throw trouble
      }
      const pause = Math.min(Math.max(POLL_LEAST, POLL_SHARE * waited), POLL_MOST)
      await delay(pause, undefined, { signal: closing }).catch(() => {})
    }
  }

  function pending (reply: FastifyReply, replay: Replay, again: string | undefined): FastifyReply {
    if (again !== undefined && !closing.aborted) return seeOther(reply, again)
    return sendText(reply.code(202).header('retry-after', RETRY_AFTER), `The replay is ${replay.state}.`)
  }
}

function notThere (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(request, reply, { statusCode: 404, code: 'GEORDI_REPLAY_UNKNOWN', message: 'There is no such replay, or it has expired. Ask for the profile again.' })
}

/** @throws what is none of the queue's: the app's error handler is for that. */
function answerTrouble (request: FastifyRequest, reply: FastifyReply, error: ReplayError): FastifyReply {
  const { code, message } = error
  if (!isAway(error) && code !== 'GEORDI_SEAL_BROKEN') throw error
  request.log.warn({ err: error }, 'geordi could not read a replay')
  if (code === 'GEORDI_SEAL_BROKEN') return answerError(request, reply, { statusCode: 500, code, message })
  return answerError(request, reply, { statusCode: 503, code, message }, awayPage(message))
}

function isAway (error: unknown): boolean {
  return (error as ReplayError).code === 'GEORDI_QUEUE_UNAVAILABLE'
}

const PDF = 'application/pdf'

/** After method and path, in characters that every file system and header takes. */
function fileName ({ method, url }: Replay, artefact: string): string {
  const path = url.split('?', 1)[0]!.replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 80)
  return [method, path, artefact === SNAPSHOT ? 'snapshot' : ''].filter(part => part !== '').join('-') + artefact.slice(artefact.lastIndexOf('.'))
}
