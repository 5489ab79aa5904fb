import type { RecordedLook } from '../waits/look.ts'
import { placeOfSite, type Place } from '../waits/places.ts'
import type { Profile } from '@geordi/profile'

const MOST = 3

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
