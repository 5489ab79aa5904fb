import type { FastifyRequest } from 'fastify'

/**
 * Where a flagged request comes from.
 * - `own`: the admin's own hand, a page of this site, or a client that is no browser
 * - `linked`: elsewhere, and its answer is what the browser's tab shows: the admin can be told
 * - `embedded`: an image, a script, a `fetch` … of elsewhere, or an image and the like of this site. Its page must not even
 *   learn that its visitor is an admin, as it would from a status of ours.
 */
export type Sender = 'own' | 'linked' | 'embedded'

/** Those that can't do anything but read, by RFC 9110. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** What a request is for, where a profile can be meant: the tab's next page, or `fetch` and XMLHttpRequest. */
const MEANT = new Set(['document', 'empty'])

/**
 * Tells by what browsers say themselves (Fetch Metadata, all of them since 2023), which no page can forge. They say it over
 * HTTPS and to localhost only; elsewhere `Origin` tells of everything but links and images.
 */
export function senderOf (request: FastifyRequest): Sender {
  const { 'sec-fetch-site': site, 'sec-fetch-dest': destination = 'empty', 'sec-purpose': purpose = '' } = request.headers as Record<string, string | undefined>
  if (site === undefined) return isOwnOrigin(request) ? 'own' : 'linked'
  if (!MEANT.has(destination)) return 'embedded'
  const near = site === 'same-origin' || (site === 'none' && isSafe(request))
  // A page that the browser only thinks will be wanted; when it is, it is asked for again.
  if (near) return /\bpre(fetch|render)\b/.test(purpose) ? 'linked' : 'own'
  return destination === 'document' ? 'linked' : 'embedded'
}

/** Whether the request is one that a link can make again. */
export function isSafe ({ method }: FastifyRequest): boolean {
  return SAFE.has(method)
}

function isOwnOrigin ({ headers: { origin }, host }: FastifyRequest): boolean {
  if (origin === undefined) return true
  if (!URL.canParse(origin)) return false
  const { protocol, host: from } = new URL(origin)
  // The same spelling of the port that is the protocol's own.
  const own = `${protocol}//${host}`
  return URL.canParse(own) && new URL(own).host === from
}
