import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { LiveWait, LiveWaits, UnassignedWait } from '@geordi/waits/live'
import type { Health } from './health.ts'
import { urlShower } from '@geordi/profile/hide'
import { HEAP_LIMIT } from './heap.ts'
import type { DogslowSettings } from './options.ts'
import type { ReportKind, RequestState, Wait } from './report.ts'
import type { OpenRequest } from './open-request.ts'
import type { RequestText } from './requests.ts'

/** A {@link RequestState} whose waits still have stacks as V8 writes them: the watcher makes sense of these. */
export interface RawRequest extends Omit<RequestState, 'pending' | 'finished'> {
  readonly pending: RawWait[]
  readonly finished: RawWait[]
}

export interface RawWait extends Omit<Wait, 'stack'> {
  readonly stack: string[]
}

/** An unassigned wait whose place is still as V8 writes it. */
export interface RawUnassigned extends Omit<Wait, 'stack' | 'ago' | 'failed'> {
  readonly lastSeen?: string
}

/** A report on its way to the watcher. */
export interface RawReport {
  readonly kind: ReportKind
  readonly id: string
  readonly time: string
  readonly cause?: string
  readonly requests: RawRequest[]
  readonly behind: RawRequest[]
  readonly more: number
  readonly unassigned?: { readonly waits: RawUnassigned[], readonly more: number }
  readonly stack: string[]
  /** The code that runs is of none of the requests, as far as is known. */
  readonly nobodys?: true
  readonly note?: string
  readonly call?: { readonly name: string, readonly target: string, readonly duration: number }
  readonly process: import('./report.ts').ProcessState
}

export function newReportId (): string {
  return randomBytes(6).toString('hex')
}

const HOST = hostname()
/** Characters: a server takes addresses of 16 kB, and reports repeat them. */
const LONGEST_URL = 1000
const MOST_UNASSIGNED = 5
/** What has been pending for less of a request's time is not what makes it slow: in an app with much to do there is always something. */
const LEAST_UNASSIGNED = 0.1

/** Puts what is known of requests and of the process into words. */
export class Describer {
  readonly #settings: DogslowSettings
  readonly #fastify: FastifyInstance
  readonly #waits: LiveWaits | undefined
  readonly #health: Health
  readonly #shown: (url: string) => string

  constructor (settings: DogslowSettings, fastify: FastifyInstance, waits: LiveWaits | undefined, health: Health) {
    this.#settings = settings
    this.#fastify = fastify
    this.#waits = waits
    this.#health = health
    this.#shown = urlShower(settings.hide)
  }

  text ({ request }: OpenRequest): RequestText {
    const url = this.#shown(request.originalUrl)
    return { id: String(request.id), method: request.method, url: url.length > LONGEST_URL ? `${url.slice(0, LONGEST_URL)}…` : url, route: request.routeOptions.url }
  }

  /** @param withWaits Without, it is enough to know which request it is. */
  request (open: OpenRequest, now: number, withWaits = true): RawRequest {
    const { request, start } = open
    const waits = (withWaits ? this.#waits?.of(open) : undefined) ?? { pending: [], finished: [] }
    const { id, method, url, route } = this.text(open)
    const link = this.#link(request, url)
    return {
      id,
      method,
      url,
      ...route === undefined ? {} : { route },
      time: new Date(performance.timeOrigin + start).toISOString(),
      duration: round(now - start),
      phase: phaseOf(open),
      pending: waits.pending.map(wait => raw(wait, now)),
      finished: waits.finished.map(wait => raw(wait, now)),
      ...link === undefined ? {} : { link }
    }
  }

  /** What is pending of nobody knows whom, and began since then: first what code of the app's was seen to start, since the rest may well be no request's. */
  unassigned (since: number, now: number): Pick<RawReport, 'unassigned'> {
    const all = this.#waits?.unassignedSince(since) ?? []
    if (all.length === 0) return {}
    const long = all.filter(({ start }) => now - start >= LEAST_UNASSIGNED * (now - since))
    const likely = [...long.filter(({ lastSeen }) => lastSeen !== undefined), ...long.filter(({ lastSeen }) => lastSeen === undefined)]
    const waits = likely.slice(0, MOST_UNASSIGNED).map(({ start, ...wait }: UnassignedWait) => ({ ...wait, duration: round(now - start) }))
    return { unassigned: { waits, more: all.length - waits.length } }
  }

  process (since: number, now: number, open: number): RawReport['process'] {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    return { host: HOST, pid: process.pid, node: process.version, open, ...this.#health.since(since, now), memory: { rss, heapUsed, heapTotal, heapLimit: HEAP_LIMIT, external } }
  }

  /** Another method's request can't be made again by a link, nor one whose address is cut off. */
  #link (request: FastifyRequest, shownUrl: string): string | undefined {
    const { link = this.#fastify.hasPlugin('@geordi/fastify') ? '__geordi__' : false } = this.#settings
    if (link === false || shownUrl.endsWith('…') || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined
    return `${request.protocol}://${request.host}${shownUrl}${shownUrl.includes('?') ? '&' : '?'}${link}`
  }
}

function phaseOf ({ reply, request, inHandler }: OpenRequest): RawRequest['phase'] {
  if (reply.raw.headersSent) return 'sending'
  if (inHandler) return 'handler'
  return request.raw.complete ? 'hooks' : 'receiving'
}

function raw ({ kind, statement, target, driver, start, end, failed, stack }: LiveWait, now: number): RawWait {
  return {
    kind,
    statement,
    target,
    driver,
    duration: round((end ?? now) - start),
    ...end === undefined ? {} : { ago: round(now - end) },
    ...failed === true ? { failed } : {},
    stack
  }
}

export function round (milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
