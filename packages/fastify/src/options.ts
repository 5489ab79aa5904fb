import type { FastifyRequest } from 'fastify'
import { GeordiError } from './errors.ts'

/** What the plugin is registered with. */
export interface GeordiOptions {
  /**
   * Whether who sends the request may profile. Runs after the app's own hooks, on flagged requests and on
   * geordi's pages only; an error or a rejection means no, and so does anything but `true`. It can run twice for one request.
   */
  readonly isAdmin: (request: FastifyRequest) => boolean | Promise<boolean>
  /** At least 32 characters, the same as the worker's; a list for rotation, the first one seals. */
  readonly secret: string | readonly string[]
  readonly queue: {
    /** `redis://…`, `rediss://…`, `postgres://…` or `postgresql://…` */
    readonly url: string
    /** Keeps several apps on one server apart; the worker's `--queue-name`. @defaultValue `'geordi'` */
    readonly name?: string
  }
  /** Who the admin is, for the report. What it throws is answered with 500. @defaultValue nobody is named */
  readonly identify?: (request: FastifyRequest) => string | undefined
  /**
   * What the replay process can't find again (a user from memory, a one-time token's verdict), as JSON. Runs just
   * before the handler would; may be async. It is sealed with the request and given to `restore`. What it throws, and what
   * JSON can't hold, is answered with 500. @defaultValue nothing
   */
  readonly capture?: (request: FastifyRequest) => unknown
  /**
   * Puts back, in the replay process, what `capture` returned. Runs in the plugin's `onRequest` hook, where `capture` returned
   * something; what it throws fails the replayed request. @defaultValue nothing
   */
  readonly restore?: (request: FastifyRequest, context: unknown) => void | Promise<void>
  /** The path that geordi's pages are under, without a slash at its end. @defaultValue `'/__geordi__'` */
  readonly prefix?: string
  /** The query parameter that flags a request. @defaultValue `'__geordi__'` */
  readonly parameter?: string
  /** Largest body captured, in bytes; an admin's flagged request with a larger one is answered with 413. @defaultValue 10485760 (10 MiB) */
  readonly bodyLimit?: number
  /** Seconds until a replay and its report are gone. @defaultValue 86400, a day */
  readonly retention?: number
  /**
   * Seconds that a flagged request may wait for a worker; one that is taken later is not run any more, and its page says so.
   * @defaultValue 3600, an hour
   */
  readonly maxQueueTime?: number
}

/** {@link GeordiOptions}, checked and complete. */
export interface GeordiSettings extends GeordiOptions {
  readonly queue: { readonly url: string, readonly name: string }
  readonly identify: (request: FastifyRequest) => string | undefined
  readonly capture: (request: FastifyRequest) => unknown
  readonly restore: (request: FastifyRequest, context: unknown) => void | Promise<void>
  readonly prefix: string
  readonly parameter: string
  readonly bodyLimit: number
  readonly retention: number
  readonly maxQueueTime: number
}

const DEFAULTS = Object.freeze({
  identify: () => undefined,
  capture: () => undefined,
  restore: () => {},
  prefix: '/__geordi__',
  parameter: '__geordi__',
  bodyLimit: 10 * 1024 * 1024,
  retention: 24 * 3600,
  maxQueueTime: 3600
})
const QUEUE_NAME = 'geordi'
const QUEUE_KNOWN = new Set(['url', 'name'])
const KNOWN = new Set(['isAdmin', 'secret', 'queue', ...Object.keys(DEFAULTS)])

/**
 * Completes, checks and freezes options.
 * @throws GeordiError `GEORDI_OPTION_INVALID`, naming the option. `secret`, `queue` and the times are checked where they are used, by @geordi/replay.
 */
export function completeOptions (options: GeordiOptions): GeordiSettings {
  const given = Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined))
  const settings = { ...DEFAULTS, ...given } as unknown as GeordiSettings
  for (const name of Object.keys(given)) check(KNOWN.has(name), name, `is not an option of geordi's; there are: ${[...KNOWN].join(', ')}`)
  check(typeof settings.isAdmin === 'function', 'isAdmin', 'is required: a function of the request that says whether who sent it may profile')
  for (const name of ['identify', 'capture', 'restore'] as const) check(typeof settings[name] === 'function', name, 'must be a function')
  check(typeof settings.queue === 'object' && settings.queue !== null, 'queue', 'is required: { url: \'redis://…\' } or { url: \'postgres://…\' }')
  for (const name of Object.keys(settings.queue)) check(QUEUE_KNOWN.has(name), `queue.${name}`, `is not an option of geordi's; there are: ${[...QUEUE_KNOWN].join(', ')}`)
  check(typeof settings.prefix === 'string' && /^(\/[\w.~-]+)+$/.test(settings.prefix), 'prefix', 'must be a path such as \'/__geordi__\', without a slash at its end')
  check(typeof settings.parameter === 'string' && /^[\w.~-]+$/.test(settings.parameter), 'parameter', 'must be letters, digits, dots, tildes, dashes and underscores')
  check(Number.isSafeInteger(settings.bodyLimit) && settings.bodyLimit > 0, 'bodyLimit', 'must be a whole number of bytes above 0')
  const { url, name = QUEUE_NAME } = settings.queue
  return Object.freeze({ ...settings, queue: Object.freeze({ url, name }) })
}

function check (holds: boolean, name: string, demand: string): asserts holds {
  if (!holds) throw new GeordiError('GEORDI_OPTION_INVALID', `Option \`${name}\` ${demand}.`)
}
