/** What the demo app needs to know; see {@link readSettings} for the variables. */
export interface AppSettings {
  /** `postgres://…` of the database for the demo's own tables. */
  databaseUrl: string
  /** `redis://…` or `postgres://…` of the queue that geordi's replays go through. */
  queueUrl: string
  /** `redis://…` of the cache that `/slow/cache` asks. @defaultValue null: without one, that route answers 503 */
  cacheUrl?: string | null
  /** Seals the captured requests; the worker has the same. */
  geordiSecret: string
  /** Signs the session cookie. */
  sessionSecret: string
  /** pino's level. @defaultValue 'info' */
  logLevel?: string
  /** Whether this process runs a replay: it takes the database as it finds it. @defaultValue false */
  replay?: boolean
}

/** Where the app listens. */
export interface ListenSettings { host: string, port: number }

/** A setting is missing or wrong; the message names the variable and says what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code = 'DEMO_SETTING_INVALID'
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `DATABASE_URL`, `GEORDI_QUEUE_URL` (or `REDIS_URL`), `GEORDI_SECRET`, `SESSION_SECRET` (all required),
 * `LOG_LEVEL`, `GEORDI_REPLAY` and `CACHE_URL`, which is the queue's unless given, where that is a Redis.
 *
 * @throws SettingsError
 */
export function readSettings (env: Environment): AppSettings {
  const databaseUrl = required(env, ['DATABASE_URL'], 'postgres://user:password@host:5432/database')
  const queueUrl = required(env, ['GEORDI_QUEUE_URL', 'REDIS_URL'], 'redis://:password@host:6379 (or postgres://…)')
  return {
    databaseUrl,
    queueUrl,
    cacheUrl: env['CACHE_URL'] || (isRedisUrl(queueUrl) ? queueUrl : null),
    geordiSecret: required(env, ['GEORDI_SECRET'], 'the secret that the worker has too, for instance of `openssl rand -base64 32`'),
    sessionSecret: required(env, ['SESSION_SECRET'], 'a random text, for instance of `openssl rand -base64 32`'),
    logLevel: env['LOG_LEVEL'] || 'info',
    replay: env['GEORDI_REPLAY'] === '1'
  }
}

/**
 * Reads `HOST` (default 127.0.0.1) and `PORT` (default 3000).
 *
 * @throws SettingsError
 */
export function readListenSettings (env: Environment): ListenSettings {
  const port = Number(env['PORT'] || 3000)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SettingsError(`PORT must be a number from 0 to 65535, not «${env['PORT']}».`)
  }
  return { host: env['HOST'] || '127.0.0.1', port }
}

/** Whether a Redis is behind this URL. */
export function isRedisUrl (url: string): boolean {
  return /^rediss?:/i.test(url)
}

function required (env: Environment, names: readonly string[], example: string): string {
  for (const name of names) {
    const value = env[name]
    if (value) return value
  }
  throw new SettingsError(`${names.join(' or ')} is not set. Set it to ${example}, or run \`npm start\`, which brings everything along.`)
}
