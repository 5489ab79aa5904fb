import { join } from 'node:path'
import { ReplayError } from '@geordi/replay'
import { findRedisServer, startLocalServer } from '@geordi/replay/local'
import { startCacheServer } from '../cache/server.ts'
import { isRedisUrl } from '../settings.ts'
import { openTemporaryDataFolder } from './data-folder.ts'
import type { LocalServer } from '@geordi/replay/local'
import type { Running } from './running.ts'

/** The queue, the demo's database and its cache. */
export interface Servers {
  queueUrl: string
  databaseUrl: string
  cacheUrl: string
  /** For people. */
  description: string
  /** Those that were started here. */
  started: Running[]
}

/**
 * The queue: `GEORDI_QUEUE_URL` or `REDIS_URL`, else redis-server or valkey-server on the PATH, else the embedded
 * PostgreSQL. The demo's tables: `DATABASE_URL`, else the embedded PostgreSQL. The cache: `CACHE_URL`, else the queue's
 * Redis, else a small server in this process.
 */
export async function startServers (env: NodeJS.ProcessEnv, folder: string): Promise<Servers> {
  const queueUrl = env['GEORDI_QUEUE_URL'] || env['REDIS_URL'] || null
  const databaseUrl = env['DATABASE_URL'] || null
  const needRedis = queueUrl === null && findRedisServer() !== null
  const needPostgres = databaseUrl === null || (queueUrl === null && !needRedis)
  const mayMove = !env['GEORDI_DATA']

  const started: Running[] = []
  const [redis, postgres] = await Promise.allSettled([
    needRedis ? startLocalServer({ kind: 'redis', folder: join(folder, 'redis') }) : null,
    needPostgres ? startPostgres(folder, mayMove) : null
  ])
  for (const [name, result] of [['PostgreSQL', postgres], ['Redis', redis]] as const) {
    if (result.status === 'fulfilled' && result.value) started.push(asRunning(name, result.value))
  }
  const failed = [redis, postgres].find(result => result.status === 'rejected')
  if (failed) {
    await Promise.all(started.map(server => server.stop()))
    throw failed.reason
  }
  const localUrl = (result: PromiseSettledResult<LocalServer | null>) => (result as PromiseFulfilledResult<LocalServer | null>).value?.url ?? null
  const queue = queueUrl ?? localUrl(redis) ?? localUrl(postgres)
  const database = databaseUrl ?? localUrl(postgres)
  if (queue === null || database === null) throw new Error('A server has no URL') // not possible: see needPostgres
  const givenCache = env['CACHE_URL'] || (isRedisUrl(queue) ? queue : null)
  const cache = givenCache === null ? await startCacheServer() : null
  if (cache) started.push({ name: 'the cache', ended: new Promise(() => {}), stop: () => cache.stop() })
  return {
    queueUrl: queue,
    databaseUrl: database,
    cacheUrl: cache?.url ?? givenCache as string,
    description: describe(queueUrl, needRedis, databaseUrl),
    started
  }
}

async function startPostgres (folder: string, mayMove: boolean): Promise<LocalServer> {
  try {
    return await startLocalServer({ kind: 'postgres', folder: join(folder, 'postgres') })
  } catch (error) {
    const unreachable = error instanceof ReplayError && error.code === 'GEORDI_LOCAL_FOLDER_UNREACHABLE'
    if (!unreachable || !mayMove) throw error
    return startLocalServer({ kind: 'postgres', folder: join(openTemporaryDataFolder(), 'postgres') })
  }
}

function asRunning (name: string, server: LocalServer): Running {
  return { name, ended: server.ended, stop: () => server.stop() }
}

function describe (queueUrl: string | null, redis: boolean, databaseUrl: string | null): string {
  if (queueUrl === null && !redis && databaseUrl === null) return 'queue and tables in an embedded PostgreSQL'
  const queue = queueUrl !== null ? `the given ${new URL(queueUrl).protocol}// server` : redis ? 'a Redis of its own' : 'an embedded PostgreSQL'
  return `queue in ${queue}, tables in ${databaseUrl !== null ? 'the given PostgreSQL' : 'an embedded PostgreSQL'}`
}
