import type { RecordedLook } from '../waits/look.ts'
import { placeOfSite, type Place } from '../waits/places.ts'
import type { Profile } from '@geordi/profile'

/** A call and the two of the application's own functions that led to it, the innermost first. */
export function callers (profile: Profile, { places }: RecordedLook, site: number): Place[] {
  if (site < 0) return []
  const own = [...take(places.chain(site), 3)]
  return (own.length === 0 ? [site] : own).map(at => placeOfSite(profile, at))
}

function * take<T> (items: Iterable<T>, count: number): Generator<T> {
  let left = count
  for (const item of items) {
    if (left-- <= 0) return
    yield item
  }
}
