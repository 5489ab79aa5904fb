import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { setTimeout as delay } from 'node:timers/promises'
import { FINAL_STATES, REPORT, RAW_PROFILE, type Replay, type Replays, type ReplayError } from '@geordi/replay'
import { isAdmin } from './admin.ts'
import { address, seeOther, send, sendHtml, sendJson, sendText, wanted } from './answer.ts'
import { errorPage, goneText, replayPage } from './html.ts'
import type { GeordiSettings } from './options.ts'

type Page = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  [REPORT, 'application/pdf'],
  [RAW_PROFILE, 'application/json; charset=utf-8']
])

/** Milliseconds that `?wait` holds a request: short of the timeout of any proxy. */
const WAIT = 20_000
/** Milliseconds between two looks at the store: quick at first, because most replays are, and never late by more than a twentieth. */
const POLL_LEAST = 20
const POLL_MOST = 500
const POLL_SHARE = 0.05
const RETRY_AFTER = 1
/** A route's `handlerTimeout: 0` falls back to the server's, so «none» is Node's longest timer. */
const NO_TIMEOUT = 2 ** 31 - 1

/** The pages under geordi's prefix, which is `path` within this instance. For who is no admin there is nothing there. */
export function servePages (fastify: FastifyInstance, replays: Replays, path: string, settings: GeordiSettings): void {
  const closing = new AbortController()
  fastify.addHook('preClose', async () => closing.abort())

  // Exempt from the app's rate limit (polling is what the pages do), its timeouts and its API documentation.
  const options: RouteShorthandOptions = {
    config: { rateLimit: false } as object,
    schema: { hide: true } as object,
    handlerTimeout: NO_TIMEOUT
  }
  fastify.get(`${path}/:id`, options, guarded(showReplay))
  fastify.get(`${path}/:id/:artefact`, options, guarded(showArtefact))

  function guarded (page: Page): Page {
    return async (request, reply) => {
      if (!await isAdmin(request, settings)) {
        reply.callNotFound()
        return reply
      }
      try {
        return await page(request, reply)
      } catch (error) {
        return answerTrouble(request, reply, error)
      }
    }
  }

  async function showReplay (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = request.params as { id: string }
    const replay = await replays.find(id)
    const html = wanted(request) === 'html'
    if (replay === null) return notThere(reply, html)
    const page = address(replay.id, settings)
    if (!html) return sendJson(reply, { ...replay, url: page, pdf: address(replay.id, settings, REPORT), request: { method: replay.method, url: replay.url } })
    return sendHtml(reply, replayPage(replay, page))
  }

  async function showArtefact (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id, artefact } = request.params as { id: string, artefact: string }
    const html = wanted(request) === 'html'
    const type = CONTENT_TYPES.get(artefact)
    if (type === undefined) return notThere(reply, html)
    const waits = 'wait' in (request.query as object)
    const replay = waits ? await settled(request, id) : await replays.find(id)
    if (replay === null) return notThere(reply, html)
    if (!replay.artefacts.includes(artefact)) {
      if (!FINAL_STATES.has(replay.state)) return pending(reply, replay, waits ? address(id, settings, `${artefact}?wait`) : undefined)
      return html ? sendHtml(reply.code(404), replayPage(replay, address(id, settings))) : sendText(reply.code(404), goneText(replay))
    }
    const bytes = await replays.artefact(id, artefact)
    if (bytes === null) return notThere(reply, html)
    reply.header('content-disposition', `${artefact === REPORT ? 'inline' : 'attachment'}; filename="${fileName(replay, artefact)}"`)
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'")
    return send(reply, type, bytes)
  }

  /** The replay once it has ended, or as it is after 20 s or when nobody waits any more. */
  async function settled (request: FastifyRequest, id: string): Promise<Replay | null> {
    request.raw.socket.setTimeout(0)
    const start = performance.now()
    for (;;) {
      const replay = await replays.find(id)
      const over = replay === null || FINAL_STATES.has(replay.state)
      if (over || performance.now() - start >= WAIT || request.raw.socket.destroyed || closing.signal.aborted) return replay
      const pause = Math.min(Math.max(POLL_LEAST, POLL_SHARE * (performance.now() - start)), POLL_MOST)
      await delay(pause, undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  function pending (reply: FastifyReply, replay: Replay, again: string | undefined): FastifyReply {
    if (again !== undefined && !closing.signal.aborted) return seeOther(reply, again)
    return sendText(reply.code(202).header('retry-after', RETRY_AFTER), `The replay is ${replay.state}.`)
  }
}

function notThere (reply: FastifyReply, html: boolean): FastifyReply {
  const message = 'There is no such replay, or it has expired. Ask for the profile again.'
  return html ? sendHtml(reply.code(404), errorPage(message)) : sendText(reply.code(404), message)
}

function answerTrouble (request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const { code, message } = error as ReplayError
  if (code !== 'GEORDI_QUEUE_UNAVAILABLE' && code !== 'GEORDI_SEAL_BROKEN') throw error
  request.log.warn({ err: error }, 'geordi could not read a replay')
  reply.code(code === 'GEORDI_QUEUE_UNAVAILABLE' ? 503 : 500)
  if (code === 'GEORDI_QUEUE_UNAVAILABLE') reply.header('retry-after', RETRY_AFTER)
  return wanted(request) === 'html' ? sendHtml(reply, errorPage(message)) : sendText(reply, message)
}

/** After method and path, in characters that every file system and header takes. */
function fileName ({ method, url }: Replay, artefact: string): string {
  const path = url.split('?', 1)[0]!.replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 80)
  return [method, path].filter(part => part !== '').join('-') + artefact.slice(artefact.lastIndexOf('.'))
}
