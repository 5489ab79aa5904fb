import type { FastifyRequest } from 'fastify'
import { DogslowError } from './errors.ts'
import type { DogslowEvent } from './report.ts'

/** How long a request may take before it is reported: milliseconds, or several, to report it again. */
export type Threshold = number | readonly number[]

/** A file that events are appended to, one JSON a line. */
export interface FileSink {
  readonly path: string
  /** Bytes that a file may have; then it becomes `path.1`, and so on. @defaultValue 10485760 (10 MiB) */
  readonly maxBytes?: number
  /** How many files are kept, the current one included. @defaultValue 5 */
  readonly files?: number
}

/** E-mail, by the package `nodemailer`. */
export interface MailSink {
  /** What `nodemailer.createTransport` takes: a URL such as `smtp://user:password@host:587`, or plain options (no functions: mail is sent by another thread). */
  readonly transport: string | Readonly<Record<string, unknown>>
  readonly from: string
  readonly to: string | readonly string[]
}

/** An address that events are posted to as JSON. */
export interface WebhookSink {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds that an answer may take. @defaultValue 10000 */
  readonly timeout?: number
}

/** How what requests wait for is noted. */
export interface NotedWaits {
  /**
   * The share of the main thread's time that finding out who waits may take, 0 to 1: by a stack for each query, HTTP request, cache command and timer, of 10 to
   * 30 µs. Past it, what is rare gets a stack still; of the others it is known that they are pending, and not whose they are. 1 is for always,
   * 0 for never. Of several apps in a process, the first one's holds.
   * @defaultValue 0.002
   */
  readonly budget?: number
}

/** What is used of Sentry's SDK. */
export interface SentrySdk {
  captureEvent (event: any): unknown
}

/** A function that is given events, on the main thread; its errors go to the app's log. */
export type FunctionSink = (event: DogslowEvent) => unknown

/** Queues a request for profiling. @returns The replay's id and where its report will be. */
export type SubmitProfile = (request: FastifyRequest) => Promise<{ readonly id: string, readonly url: string }>

/** What the plugin is registered with. */
export interface DogslowOptions {
  /**
   * Milliseconds after which a request is reported. A list reports it at each of them. A route's own:
   * `config: { dogslow: 5000 }`; `false` leaves the route alone.
   * @defaultValue the environment's `DOGSLOW_TIMER`, or 25000
   */
  readonly threshold?: Threshold
  /**
   * Requests that are not reported: patterns of routes (`'/events/*'`, where `*` stands for anything), or a function. The function is asked once a
   * request, and only about those that are not answered at once.
   * @defaultValue none
   */
  readonly ignore?: ReadonlyArray<string | ((request: FastifyRequest) => boolean)> | string | ((request: FastifyRequest) => boolean)
  /** Names of query keys whose values are not shown, beside token, password, secret, key, code, session, signature and the like. @defaultValue none */
  readonly hide?: readonly string[]
  /** Whether the app's log gets the events. @defaultValue true */
  readonly log?: boolean
  /** @defaultValue none */
  readonly file?: string | FileSink
  /** @defaultValue none */
  readonly mail?: MailSink
  /** `true` takes the package `@sentry/node`, which the app has initialised; or hand over the SDK. @defaultValue false */
  readonly sentry?: boolean | SentrySdk
  /** @defaultValue none */
  readonly webhook?: string | WebhookSink
  /** @defaultValue none */
  readonly report?: FunctionSink | readonly FunctionSink[]
  /** How many reports a minute are passed on; the others are counted in a digest when the minute is over. @defaultValue 10 */
  readonly perMinute?: number
  /** Milliseconds in which the same, by its fingerprint, is passed on once; the others are counted in digests. @defaultValue 60000 */
  readonly repeatAfter?: number
  /** Whether what requests wait for is noted, and at what cost. @defaultValue true */
  readonly waits?: boolean | NotedWaits
  /**
   * `'auto'` queues a slow GET or HEAD for profiling by geordi (`@geordi/fastify` 0.1 or later on the same app); a function does it in its way.
   * @defaultValue 'off'
   */
  readonly profile?: 'auto' | 'off' | SubmitProfile
  /** How many requests of a route may be queued in an hour. @defaultValue 1 */
  readonly profilesPerHour?: number
  /**
   * The query parameter of the link that profiles the request; `false` for no link.
   * @defaultValue `'__geordi__'` where `@geordi/fastify` is registered, else no link
   */
  readonly link?: string | false
}

/** {@link DogslowOptions}, checked and complete. */
export interface DogslowSettings {
  readonly thresholds: readonly number[]
  readonly ignore: ReadonlyArray<string | ((request: FastifyRequest) => boolean)>
  readonly hide: readonly string[]
  readonly log: boolean
  readonly file: Required<FileSink> | undefined
  readonly mail: MailSink | undefined
  readonly sentry: boolean | SentrySdk
  readonly webhook: Required<WebhookSink> | undefined
  readonly report: readonly FunctionSink[]
  readonly perMinute: number
  readonly repeatAfter: number
  readonly waits: false | Required<NotedWaits>
  readonly profile: 'auto' | 'off' | SubmitProfile
  readonly profilesPerHour: number
  readonly link: string | false | undefined
}

const DEFAULT_THRESHOLD = 25_000
const FILE = { maxBytes: 10 * 1024 * 1024, files: 5 }
const WAITS = { budget: 0.002 }
const WEBHOOK = { headers: {}, timeout: 10_000 }
const DEFAULTS = Object.freeze({
  ignore: [], hide: [], log: true, sentry: false, report: [], perMinute: 10, repeatAfter: 60_000, waits: true, profile: 'off', profilesPerHour: 1
})
const KNOWN = ['threshold', 'file', 'mail', 'webhook', 'link', ...Object.keys(DEFAULTS)]

/**
 * Completes, checks and freezes options.
 * @throws DogslowError `GEORDI_DOGSLOW_OPTION_INVALID`, naming the option.
 */
export function completeOptions (options: DogslowOptions = {}): DogslowSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as DogslowOptions
  for (const name of Object.keys(given)) check(KNOWN.includes(name), name, `is not an option of dogslow's; there are: ${KNOWN.join(', ')}`)
  const settings = { ...DEFAULTS, ...given }
  const ignore = list<string | ((request: FastifyRequest) => boolean)>(settings.ignore)
  check(ignore.every(item => typeof item === 'function' || (typeof item === 'string' && item.startsWith('/'))), 'ignore', 'takes patterns of routes, which begin with a slash, and functions')
  check(Array.isArray(settings.hide) && settings.hide.every(name => typeof name === 'string' && /[\p{L}\p{N}]/u.test(name)), 'hide', 'must be a list of query keys\' names')
  check(typeof settings.log === 'boolean', 'log', 'must be true or false')
  const report = list<FunctionSink>(settings.report)
  check(report.every(sink => typeof sink === 'function'), 'report', 'must be a function, or a list of functions')
  const { sentry, profile } = settings
  check(typeof sentry === 'boolean' || typeof (sentry as SentrySdk | null)?.captureEvent === 'function', 'sentry', 'must be true, false or Sentry\'s SDK')
  check(typeof profile === 'function' || profile === 'auto' || profile === 'off', 'profile', 'must be \'auto\', \'off\' or a function')
  for (const name of ['perMinute', 'profilesPerHour'] as const) check(Number.isInteger(settings[name]) && settings[name] > 0, name, 'must be a whole number above 0')
  check(typeof settings.repeatAfter === 'number' && settings.repeatAfter >= 0, 'repeatAfter', 'must be a number of milliseconds from 0')
  const { link } = settings
  check(link === undefined || link === false || (typeof link === 'string' && /^[\w.~-]+$/.test(link)), 'link', 'must be the name of a query parameter, or false')
  return Object.freeze({
    thresholds: readThreshold(settings.threshold ?? fromEnvironment(), 'Option `threshold`'),
    ignore: Object.freeze([...ignore]),
    hide: Object.freeze([...settings.hide]),
    log: settings.log,
    file: completeFile(settings.file),
    mail: completeMail(settings.mail),
    sentry: settings.sentry,
    webhook: completeWebhook(settings.webhook),
    report: Object.freeze([...report]),
    perMinute: settings.perMinute,
    repeatAfter: settings.repeatAfter,
    waits: completeWaits(settings.waits),
    profile: settings.profile as DogslowSettings['profile'],
    profilesPerHour: settings.profilesPerHour,
    link
  })
}

/**
 * Milliseconds in ascending order.
 * @throws DogslowError `GEORDI_DOGSLOW_OPTION_INVALID`
 */
export function readThreshold (value: unknown, what: string): readonly number[] {
  const thresholds = list(value)
  if (thresholds.length === 0 || !thresholds.every(item => typeof item === 'number' && item > 0 && item < Infinity)) {
    throw invalid(`${what} must be a number of milliseconds above 0, or a list of such.`)
  }
  return Object.freeze([...new Set(thresholds as number[])].sort((a, b) => a - b))
}

function fromEnvironment (): number {
  const text = process.env.DOGSLOW_TIMER
  if (text === undefined || text === '') return DEFAULT_THRESHOLD
  if (!(Number(text) > 0 && Number(text) < Infinity)) throw invalid(`The environment's DOGSLOW_TIMER must be a number of milliseconds above 0, not \`${text}\`.`)
  return Number(text)
}

function completeFile (file: string | FileSink | undefined): Required<FileSink> | undefined {
  if (file === undefined) return undefined
  const complete = { ...FILE, ...typeof file === 'string' ? { path: file } : file }
  check(typeof complete.path === 'string' && complete.path !== '', 'file', 'must be a path, or { path, maxBytes, files }')
  for (const name of ['maxBytes', 'files'] as const) check(Number.isInteger(complete[name]) && complete[name] > 0, `file.${name}`, 'must be a whole number above 0')
  return Object.freeze(complete)
}

function completeWaits (waits: boolean | NotedWaits): false | Required<NotedWaits> {
  if (waits === false) return false
  check(waits === true || (typeof waits === 'object' && waits !== null), 'waits', 'must be true, false or { budget }')
  const given = waits === true ? {} : waits
  const unknown = Object.keys(given).find(name => !(name in WAITS))
  check(unknown === undefined, 'waits', `has no \`${unknown}\`; there is: ${Object.keys(WAITS).join(', ')}`)
  const complete = { budget: given.budget ?? WAITS.budget }
  check(typeof complete.budget === 'number' && complete.budget >= 0 && complete.budget <= 1, 'waits.budget', 'must be a share of the time, from 0 to 1')
  return Object.freeze(complete)
}

function completeMail (mail: MailSink | undefined): MailSink | undefined {
  if (mail === undefined) return undefined
  check(typeof mail === 'object' && mail !== null, 'mail', 'must be { transport, from, to }')
  const { transport, from, to } = mail
  check(typeof transport === 'string' || (typeof transport === 'object' && transport !== null), 'mail.transport', 'must be a URL such as smtp://host:587, or options of nodemailer\'s')
  check(typeof from === 'string' && from !== '', 'mail.from', 'must be an address')
  check(list(to).length > 0 && list(to).every(address => typeof address === 'string' && address !== ''), 'mail.to', 'must be an address, or a list of addresses')
  return Object.freeze({ transport: sendable(transport, 'mail.transport'), from, to })
}

function completeWebhook (webhook: string | WebhookSink | undefined): Required<WebhookSink> | undefined {
  if (webhook === undefined) return undefined
  const complete = { ...WEBHOOK, ...typeof webhook === 'string' ? { url: webhook } : webhook }
  check(URL.canParse(complete.url) && /^https?:$/.test(new URL(complete.url).protocol), 'webhook', 'must be an address such as https://host/path, or { url, headers, timeout }')
  check(Number.isInteger(complete.timeout) && complete.timeout > 0, 'webhook.timeout', 'must be a whole number of milliseconds above 0')
  return Object.freeze({ ...complete, headers: sendable(complete.headers, 'webhook.headers') })
}

/** What can be handed to another thread. */
function sendable<Value> (value: Value, name: string): Value {
  try {
    return structuredClone(value)
  } catch (cause) {
    throw invalid(`Option \`${name}\` must be plain data, because another thread uses it: ${(cause as Error).message}`)
  }
}

function list<Item> (value: unknown): readonly Item[] {
  return (Array.isArray(value) ? value : [value]) as Item[]
}

function check (holds: boolean, name: string, demand: string): asserts holds {
  if (!holds) throw invalid(`Option \`${name}\` ${demand}.`)
}

function invalid (message: string): DogslowError {
  return new DogslowError('GEORDI_DOGSLOW_OPTION_INVALID', message)
}
