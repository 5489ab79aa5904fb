import type { FastifyRequest } from 'fastify'
import { DEFAULT_LIMITS, type ReplayLimits } from '@geordi/replay'
import type { AuditEvent } from './audit.ts'
import { GeordiError } from './errors.ts'

/** What the plugin is registered with. Over a limit, a flagged request is answered with 429. */
export interface GeordiOptions extends ReplayLimits {
  /**
   * Whether who sends the request may profile. Runs after the app's own hooks, on flagged requests and on
   * geordi's pages only; an error or a rejection means no, and so does anything but `true`. It can run twice for one request.
   */
  readonly isAdmin: (request: FastifyRequest) => boolean | Promise<boolean>
  /** At least 32 characters, the same as the worker's; a list for rotation, the first one seals. */
  readonly secret: string | readonly string[]
  /** Where flagged requests wait for a worker. */
  readonly queue: {
    /** `redis://…`, `rediss://…`, `postgres://…` or `postgresql://…` */
    readonly url: string
    /** Keeps several apps on one server apart; the worker's `--queue-name`. @defaultValue `'geordi'` */
    readonly name?: string
    /** Milliseconds without an answer of the server's after which it counts as away, and a flagged request gets 503. @defaultValue 800 */
    readonly timeout?: number
  }
  /**
   * Who the admin is, for the report, the limit `maxOpenPerAdmin` and the audit: the first 200 characters count, and what could
   * forge a line of a log is replaced. What it throws is answered with 500. It can run more than once for one request.
   * @defaultValue nobody is named
   */
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
  /**
   * Names of query keys whose values pages, reports and the audit don't show, beside those that are never shown: token,
   * password, secret, key, code, session, signature and the like. A name counts as a whole, or as one word of a key
   * (`pass` hides `user_pass`), whatever its case. The replay has the values all the same.
   * @defaultValue none
   */
  readonly hide?: readonly string[]
  /**
   * Told of each capture, view, cancel, snapshot and refusal. What it throws, or rejects with, goes to the app's log and changes nothing; no answer waits for it.
   * @defaultValue writes a line to the request's log: `request.log.info({ geordi: event }, …)`
   */
  readonly audit?: (event: AuditEvent, request: FastifyRequest) => unknown
}

/** {@link GeordiOptions}, checked and complete. */
export interface GeordiSettings extends Required<Omit<GeordiOptions, 'queue'>> {
  readonly queue: GeordiOptions['queue']
}

const DEFAULTS = Object.freeze({
  identify: () => undefined,
  capture: () => undefined,
  restore: () => {},
  prefix: '/__geordi__',
  parameter: '__geordi__',
  bodyLimit: 10 * 1024 * 1024,
  ...DEFAULT_LIMITS,
  hide: Object.freeze([]),
  audit: (event: AuditEvent, request: FastifyRequest) => request.log.info({ geordi: event }, `geordi: ${event.action}`)
})
const QUEUE_KNOWN = new Set(['url', 'name', 'timeout'])
const KNOWN = new Set(['isAdmin', 'secret', 'queue', ...Object.keys(DEFAULTS)])

/**
 * Completes, checks and freezes options.
 * @throws GeordiError `GEORDI_OPTION_INVALID`, naming the option. `secret`, `queue`, times and limits are checked where they are used, by @geordi/replay.
 */
export function completeOptions (options: GeordiOptions): GeordiSettings {
  const given = Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined))
  const settings = { ...DEFAULTS, ...given } as unknown as GeordiSettings
  for (const name of Object.keys(given)) check(KNOWN.has(name), name, `is not an option of geordi's; there are: ${[...KNOWN].join(', ')}`)
  check(typeof settings.isAdmin === 'function', 'isAdmin', 'is required: a function of the request that says whether who sent it may profile')
  for (const name of ['identify', 'capture', 'restore', 'audit'] as const) check(typeof settings[name] === 'function', name, 'must be a function')
  check(typeof settings.queue === 'object' && settings.queue !== null, 'queue', 'is required: { url: \'redis://…\' } or { url: \'postgres://…\' }')
  for (const name of Object.keys(settings.queue)) check(QUEUE_KNOWN.has(name), `queue.${name}`, `is not an option of geordi's; there are: ${[...QUEUE_KNOWN].join(', ')}`)
  check(typeof settings.prefix === 'string' && /^(\/(?!\.\.?(\/|$))[\w.~-]+)+$/.test(settings.prefix), 'prefix', 'must be a path such as \'/__geordi__\', without a slash at its end or dots alone')
  check(typeof settings.parameter === 'string' && /^[\w.~-]+$/.test(settings.parameter), 'parameter', 'must be letters, digits, dots, tildes, dashes and underscores')
  check(Number.isSafeInteger(settings.bodyLimit) && settings.bodyLimit > 0, 'bodyLimit', 'must be a whole number of bytes above 0')
  check(Array.isArray(settings.hide) && settings.hide.every(name => typeof name === 'string' && /[\p{L}\p{N}]/u.test(name)), 'hide', 'must be a list of query keys\' names')
  const queue = Object.fromEntries(Object.entries(settings.queue).filter(([, value]) => value !== undefined)) as GeordiOptions['queue']
  return Object.freeze({ ...settings, hide: Object.freeze([...settings.hide]), queue: Object.freeze(queue) })
}

function check (holds: boolean, name: string, demand: string): asserts holds {
  if (!holds) throw new GeordiError('GEORDI_OPTION_INVALID', `Option \`${name}\` ${demand}.`)
}
