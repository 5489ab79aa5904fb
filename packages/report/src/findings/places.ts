import type { Look, RecordedLook } from '../waits/look.ts'
import { placeOfFrame, placeOfSite, type Place } from '../waits/places.ts'
import type { Profile } from '@geordi/profile'
import type { Finding } from './finding.ts'

const MOST = 3

/** With what it makes and reads JSON with. Who calls these otherwise has a function of its own on the stack, and a finding tells that. */
const FASTIFY = /\/node_modules\/(?:fastify|fast-json-stringify|secure-json-parse)\//

/** A call and the two of the application's own functions that led to it, the innermost first. One that calls itself is told once, by its innermost call. */
export function callers (profile: Profile, { places }: RecordedLook, site: number): Place[] {
  if (site < 0) return []
  const found: Place[] = []
  for (const at of places.chain(site)) {
    const place = placeOfSite(profile, at)
    const callee = found.at(-1)
    if (callee?.label === place.label && callee.url === place.url) continue
    if (found.push(place) === MOST) break
  }
  return found.length === 0 ? [placeOfSite(profile, site)] : found
}

/** What Fastify itself does for the handler, as to make text of what it returns, is mended there, or else where its route is. */
export function toldAtRoute ({ profile, kinds, recorded }: Look, finding: Finding): Finding {
  const { run: { request }, waits: { route } = {} } = profile
  if (!FASTIFY.test(finding.places[0]?.url ?? '') || route === undefined || recorded === undefined) return finding
  const of = `${request?.method ?? ''} ${route.url}`.trim()
  const told = (place: Place, what: string) => ({ ...finding, places: [place, ...finding.places], evidence: [...finding.evidence, `Fastify itself does it for ${what}`] })
  if (kinds[route.handler] === 'app') return told(placeOfFrame(profile, route.handler), `this handler, that of ${of}`)
  return recorded.places.isOwn(route.site) ? told(placeOfSite(profile, route.site), `the handler of ${of}, which is registered there`) : finding
}
