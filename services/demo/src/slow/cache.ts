import { Stopwatch } from '../stopwatch.ts'
import type { Redis } from 'ioredis'

const key = 'demo:units'
const units = JSON.stringify({ length: 'light-year', speed: 'warp', plural: 'light-years' })

/** Formats distances, and asks the cache for the very same units each time. */
export async function formatDistances (cache: Redis, n: number) {
  await cache.set(key, units, 'EX', 3600)
  const waiting = new Stopwatch()
  let hits = 0
  let characters = 0
  for (let distance = 1; distance <= n; distance++) {
    waiting.start()
    const found = await loadUnits(cache)
    waiting.stop()
    if (found === null) continue
    hits++
    characters += formatDistance(distance, found).length
  }
  return { gets: n, hits, key, characters, waited: waiting.milliseconds }
}

async function loadUnits (cache: Redis): Promise<string | null> {
  return await cache.get(key)
}

function formatDistance (distance: number, found: string): string {
  const { length, plural } = JSON.parse(found) as { length: string, plural: string }
  return `${distance} ${distance === 1 ? length : plural}`
}
