import { ReplayError } from './errors.ts'
import type { ResultStore, Retention } from './store.ts'

/** A queue server: BullMQ's queue of replay ids, and the store of what belongs to them. */
export interface Backend {
  readonly store: ResultStore
  /** Adds a replay to the queue. Adding an id twice is a no-op. */
  enqueue (id: string): Promise<void>
  /** Takes replays from the queue, each once, until the consumer is closed. */
  consume (handler: (id: string) => Promise<void>, options: ConsumeOptions): Promise<Consumer>
  /** Forgets what is kept no longer: replays in the store, and BullMQ's jobs, which by itself it looks after only when another one ends. */
  forget (retention: Retention): Promise<void>
  /** Closes the connections; consumers have to be closed before. */
  close (): Promise<void>
}

/** How to take ids from the queue. */
export interface ConsumeOptions {
  /** How many replays at a time. */
  readonly concurrency: number
  /**
   * Told of trouble with the queue server, as often as it is noticed: ReplayError `GEORDI_QUEUE_UNAVAILABLE` when it is
   * away. The consumer goes on by itself when it is back.
   */
  readonly onError: (error: Error) => void
}

/** Takes from the queue until it is closed. */
export interface Consumer {
  /** Takes no new replay and resolves when those under way have ended. */
  close (): Promise<void>
}

/** Which queue server, and whose queue on it. */
export interface BackendOptions {
  /** `redis://…`, `rediss://…`, `postgres://…` or `postgresql://…` */
  readonly url: string
  /** Keeps several apps on one server apart: lower-case letters, digits and underscores, a letter first, at most 40. */
  readonly name: string
  /**
   * `web`: fail soon, because somebody waits for the answer.
   * `worker`: wait for the server to come back, because a replay's outcome must not get lost.
   */
  readonly role: 'web' | 'worker'
  /** Milliseconds that a web process waits for the server. @defaultValue 800: who waits is told within a second */
  readonly timeout?: number
}

/** {@link BackendOptions}, complete. */
export type BackendSettings = Required<BackendOptions>

export const DEFAULT_TIMEOUT = 800

/** A name becomes a key prefix, a BullMQ queue and a PostgreSQL schema, so it is kept plain, and off PostgreSQL's own schemas. */
const NAME = /^(?!pg_|public$|information_schema$)[a-z][a-z0-9_]{0,39}$/

/**
 * Opens the backend that the URL's scheme names. Nothing is connected before the first use.
 * @throws ReplayError `GEORDI_OPTION_INVALID` for another scheme or a wrong name.
 */
export async function openBackend (options: BackendOptions): Promise<Backend> {
  // Only the driver in use is loaded: a web process on Redis never loads pg.
  const open = backendFor(options)
  const settings = { timeout: DEFAULT_TIMEOUT, ...options }
  return open === 'redis'
    ? new (await import('./redis.ts')).RedisBackend(settings)
    : new (await import('./postgres.ts')).PostgresBackend(settings)
}

/** Which backend the options name, checking them. */
export function backendFor ({ url, name }: Pick<BackendOptions, 'url' | 'name'>): 'redis' | 'postgres' {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new ReplayError('GEORDI_OPTION_INVALID',
      'Option `queue.name` must be lower-case letters, digits and underscores, begin with a letter and have at most 40 characters; \'public\' and names that begin with \'pg_\' are PostgreSQL\'s own.')
  }
  const scheme = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : ''
  if (scheme === 'redis:' || scheme === 'rediss:') return 'redis'
  if (scheme === 'postgres:' || scheme === 'postgresql:') return 'postgres'
  throw new ReplayError('GEORDI_OPTION_INVALID',
    'Option `queue.url` must be a redis://, rediss://, postgres:// or postgresql:// URL.')
}

/** What a driver threw, as the one error that callers look for. */
export function unavailable (cause: unknown): ReplayError {
  if (cause instanceof ReplayError) return cause
  const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || cause.name : String(cause)
  const what = isRefusal(cause)
    ? `refuses (${reason}). Check its memory, and what the user of \`queue.url\` may do.`
    : `can't be reached (${reason}). Check \`queue.url\` and that the server runs.`
  return new ReplayError('GEORDI_QUEUE_UNAVAILABLE', `The queue server ${what}`, { cause })
}

/** Redis and PostgreSQL have answered, with an error: no password, no right, no memory. */
function isRefusal (cause: unknown): boolean {
  const { name, code = '' } = (cause ?? {}) as NodeJS.ErrnoException
  return (name === 'ReplyError' || /^[0-9A-Z]{5}$/.test(code)) && !isConnectionError(cause)
}

/**
 * Whether the queue server is there but takes no writes for now: no memory or disk left (Redis's `maxmemory`, or its files
 * can't be written; PostgreSQL's class 53), or another server has become the one that is written to. Nothing was written then.
 */
export function isFull (error: unknown): boolean {
  const { cause = error } = error as Error
  const { code = '', message = '' } = cause as NodeJS.ErrnoException
  return /^53/.test(code) || /\b(OOM command not allowed|MISCONF|READONLY|NOREPLICAS)\b/.test(message)
}

/** What a queue told of itself: an absence as the one error that callers look for, anything else as it is. */
export function trouble (error: Error): Error {
  return isConnectionError(error) ? unavailable(error) : error
}

/**
 * The socket's own errors, ioredis's for a connection that is gone, Redis's while it reads its data after a start, and
 * PostgreSQL's classes 08 (connection exception) and 57P (shutting down, starting up).
 */
export function isConnectionError (error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  return /^(08|57P)/.test(code) || /^E[A-Z]+$/.test(code) || /terminat|timeout|not queryable|^Connection is closed|^LOADING /i.test(message)
}
