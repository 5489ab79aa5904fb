import type { FastifyRequest } from 'fastify'
import { printable } from '@geordi/replay'
import { identityIfKnown } from './identity.ts'
import type { GeordiSettings } from './options.ts'

/** What an admin did with geordi, or was refused. */
export interface AuditEvent {
  /**
   * - `capture`: a request was captured and queued
   * - `view`: a replay's page was looked at (once for each state that it had), or an artefact fetched
   * - `cancel`, `snapshot`: that was ordered of a replay that had not ended
   * - `refusal`: an admin's flagged request was not profiled, or an order not followed
   */
  readonly action: 'capture' | 'view' | 'cancel' | 'snapshot' | 'refusal'
  /** Milliseconds since 1970. */
  readonly at: number
  /** From the option `identify`. */
  readonly who?: string
  /** The address that the request came from, Fastify's `request.ip`; absent where the client had gone before. */
  readonly from?: string
  /** Of the profiled request; of an order that was refused. */
  readonly method: string
  /** Of the same, without its query. */
  readonly path: string
  /** The replay. */
  readonly id?: string
  /** The artefact that was fetched. */
  readonly artefact?: string
  /** Why it was refused. */
  readonly code?: string
}

/** What an event is about. */
export interface AuditedMatter extends Pick<AuditEvent, 'action' | 'method' | 'id' | 'artefact' | 'code'> {
  readonly url: string
  /** Where it is known already. */
  readonly by?: string | undefined
}

export type Auditor = (request: FastifyRequest, matter: AuditedMatter) => Promise<void>

/** Tells the option `audit` of what happens. What that throws goes to the app's log and changes no answer, and nobody waits for it. */
export function auditor (settings: GeordiSettings): Auditor {
  return async (request, { url, by, ...matter }) => {
    const who = by ?? await identityIfKnown(request, settings)
    // Who has gone has no address any more, whatever its type says.
    const ip = request.ip as string | undefined
    const event: AuditEvent = Object.freeze({
      ...matter,
      at: Date.now(),
      ...(who === undefined ? {} : { who }),
      ...(ip === undefined ? {} : { from: printable(ip) }),
      path: printable(url.split('?', 1)[0]!)
    })
    const tell = async () => settings.audit(event, request)
    tell().catch(error => request.log.error({ err: error, geordi: event }, 'geordi\'s option `audit` threw'))
  }
}

const REMEMBERED = 1000

/** Tells what is new: a page that follows by itself is looked at every second. */
export class Novelty {
  readonly #known = new Set<string>()

  isNew (...parts: Array<string | undefined>): boolean {
    const key = JSON.stringify(parts)
    if (this.#known.has(key)) return false
    this.#known.add(key)
    const [oldest] = this.#known
    if (this.#known.size > REMEMBERED) this.#known.delete(oldest!)
    return true
  }
}
