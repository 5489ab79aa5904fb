import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CapturedSession } from '@geordi/replay'

/** What is used of @fastify/session. */
interface SessionRequest {
  readonly session?: { readonly sessionId?: string } | null
  readonly sessionStore?: SessionStore
  readonly cookies?: Record<string, string | undefined>
}

interface SessionStore {
  /** Only the in-memory store has it: its sessions by id. */
  readonly store?: unknown
  set (id: string, session: object, done: (error?: Error) => void): void
}

/**
 * The request's session where @fastify/session keeps it in memory, which no other process sees. A shared
 * store is left alone: the replay finds the session there, and one that is gone must stay gone.
 */
export function captureSession (request: FastifyRequest): CapturedSession | undefined {
  const { session, sessionStore } = request as SessionRequest
  if (typeof session?.sessionId !== 'string' || !(sessionStore?.store instanceof Map)) return undefined
  return { id: session.sessionId, data: JSON.stringify(session) }
}

/** Puts the session into this process's memory, and loads it where @fastify/session has looked already. */
export async function restoreSession (fastify: FastifyInstance, request: FastifyRequest, { id, data }: CapturedSession): Promise<void> {
  const { session, sessionStore } = request as SessionRequest
  if (!(sessionStore?.store instanceof Map)) return
  await promised(done => sessionStore.set(id, JSON.parse(data) as object, done))
  if (session == null) return
  // @fastify/session's hook ran first, found nothing and made a new session: let it look again.
  const { decryptSession } = fastify as unknown as { decryptSession?: (signedId: string, request: FastifyRequest, options: object, done: (error?: Error) => void) => void }
  const cookie = Object.values((request as SessionRequest).cookies ?? {}).find(value => value?.includes(id))
  if (cookie !== undefined && decryptSession !== undefined) {
    // Its `cookiePrefix`, if it has one, is in front.
    const signedId = cookie.slice(cookie.indexOf(id))
    await promised(done => decryptSession.call(fastify, signedId, request, {}, done))
  }
}

function promised (call: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call(error => error == null ? resolve() : reject(error)))
}
