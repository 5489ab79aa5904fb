import { Redis } from 'ioredis'
import { connectDatabase } from '../database.ts'
import type { Database } from '../database.ts'

/** What the slow routes work with. */
export interface Means {
  database: Database
  /** For connections that are not the app's: somebody else who holds a lock. */
  databaseUrl: string
  /** Of two connections: too few for a page that asks eight things at once. */
  smallPool: Database
  /** null when the app was given none. */
  cache: Redis | null
}

/** A route needs what the app was not given. */
export class NoCacheError extends Error {
  override readonly name = 'NoCacheError'
  readonly code = 'DEMO_NO_CACHE'
  readonly statusCode = 503

  constructor () {
    super('This app has no cache. Set CACHE_URL to redis://:password@host:6379, or run `npm start`, which brings one along.')
  }
}

/** Opens what is needed beside the app's own pool. Nothing is connected before it is used. `onLost` hears of connections that break. */
export function openMeans (database: Database, urls: { databaseUrl: string, cacheUrl: string | null }, onLost: (error: Error) => void): Means {
  const { databaseUrl, cacheUrl } = urls
  return {
    database,
    databaseUrl,
    smallPool: connectDatabase(databaseUrl, onLost, 2),
    cache: cacheUrl === null ? null : connectCache(cacheUrl, onLost)
  }
}

function connectCache (url: string, onLost: (error: Error) => void): Redis {
  // No ready check: the demo's own server has no INFO, and a Redis that is still loading says so by itself.
  const cache = new Redis(url, { lazyConnect: true, enableReadyCheck: false, maxRetriesPerRequest: 1 })
  // Its message alone: the error carries the command that failed, and with a wrong password that command holds it.
  return cache.on('error', ({ message }) => onLost(new Error(`The cache: ${message}`)))
}

/** Closes what {@link openMeans} has opened, not the database that it was given. */
export async function closeMeans ({ smallPool, cache }: Means): Promise<void> {
  cache?.disconnect()
  await smallPool.end()
}
