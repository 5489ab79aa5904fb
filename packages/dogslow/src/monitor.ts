import type { FastifyRequest } from 'fastify'
import { newReportId, type Describer, type RawReport } from './describe.ts'
import type { LiveWaits } from '@geordi/waits/live'
import type { Health } from './health.ts'
import type { ToWatcher } from './messages.ts'
import type { DogslowSettings } from './options.ts'
import type { OpenRequest } from './open-request.ts'
import type { Requests } from './requests.ts'
import type { RouteThresholds } from './routes.ts'
import { NEVER } from './shared.ts'

/** Requests that one tick looks at in full: writing down stacks takes time, and when all are slow, they are for one reason. */
const MOST_REPORTS = 10

export interface MonitorParts {
  readonly requests: Requests
  readonly routes: RouteThresholds
  readonly describer: Describer
  readonly health: Health
  readonly waits: LiveWaits | undefined
  readonly post: (message: ToWatcher) => void
  /** Told of each request that is reported. */
  readonly reported: (open: OpenRequest, report: string) => void
}

/** Looks at the open requests once a tick, as long as there are any, and reports those that are due. */
export class Monitor {
  readonly #settings: DogslowSettings
  readonly #interval: number
  readonly #parts: MonitorParts
  /** Whose answers wait for those of earlier requests on the same connection. */
  readonly #queued = new Set<OpenRequest>()
  #timer: NodeJS.Timeout | undefined

  constructor (settings: DogslowSettings, interval: number, parts: MonitorParts) {
    this.#settings = settings
    this.#interval = interval
    this.#parts = parts
  }

  /** To be called when a request comes. */
  wake (): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#tick(), this.#interval)
    // A process that has nothing else to do ends as without dogslow: `inject` leaves no server open.
    this.#timer.unref()
    this.#parts.health.sample(performance.now())
  }

  /** Whether a timer is there. */
  get isAwake (): boolean {
    return this.#timer !== undefined
  }

  stop (): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#parts.health.pause()
  }

  /**
   * Takes those requests that are to be reported now; each is taken once a threshold.
   * @param interrupting The main thread is in the middle of something: no code of the app's may run.
   */
  take (now: number, interrupting = false): OpenRequest[] {
    const { requests } = this.#parts
    requests.look(interrupting)
    return requests.due(now).filter(open => {
      if (!interrupting && !open.watch.met) this.#meet(open)
      // The watcher has told of it, and its word is yet to come.
      if (open.watch.taken && open.watch.reports === undefined) return false
      // What the app has taken out of Fastify's hands may be open for ever, and nobody waits for an answer.
      if (open.reply.sent && !open.reply.raw.writableEnded) open.watch.thresholds = []
      const thresholds = this.#thresholdsOf(open)
      const isDue = open.watch.passed < thresholds.length && open.watch.since + thresholds[open.watch.passed]! <= now
      this.pass(open, now)
      return isDue
    })
  }

  /** Leaves those thresholds behind that have been reached. */
  pass (open: OpenRequest, now: number): void {
    const thresholds = this.#thresholdsOf(open)
    while (open.watch.passed < thresholds.length && open.watch.since + thresholds[open.watch.passed]! <= now) open.watch.passed++
    const next = thresholds[open.watch.passed]
    this.#parts.requests.schedule(open, next === undefined ? NEVER : open.watch.since + next)
  }

  /** Notes that a request is reported. */
  note (open: OpenRequest, report: string): void {
    (open.watch.reports ??= []).push(report)
    this.#parts.reported(open, report)
  }

  /** Notes that a request was told to wait behind another's code. What slows it down by itself is yet to be seen: its time begins anew. */
  putOff (open: OpenRequest, report: string, owner: OpenRequest | undefined, now: number): void {
    (open.watch.reports ??= []).push(report)
    open.watch.since = now
    open.watch.passed = 0
    open.watch.behind = owner
    this.pass(open, now)
  }

  #tick (): void {
    const { requests, health } = this.#parts
    const now = performance.now()
    health.sample(now)
    this.#parts.waits?.look(now)
    this.#leaveGone()
    requests.look()
    if (requests.count === 0) return this.stop()
    const due = this.take(now)
    for (const open of due.slice(0, MOST_REPORTS)) this.#report(open, now)
    if (due.length > MOST_REPORTS) this.#count(due.slice(MOST_REPORTS), now)
  }

  /** Up to Node 22, a response tells of a closed connection only if it was its turn. */
  #leaveGone (): void {
    for (const open of this.#queued) {
      if (!open.closed && isQueued(open)) {
        if (!open.isOver && open.request.raw.socket?.destroyed !== true) continue
        open.table.leave(open)
      }
      this.#queued.delete(open)
    }
  }

  #report (open: OpenRequest, now: number): void {
    const { describer, requests, post } = this.#parts
    const request = describer.request(open, now)
    const unassigned = describer.unassigned(open.start, now)
    const report: RawReport = {
      kind: 'waiting',
      id: newReportId(),
      time: new Date().toISOString(),
      requests: [request],
      behind: [],
      more: 0,
      stack: [...request.pending[0]?.stack ?? []],
      ...unassigned,
      ...request.pending.length > 0 ? {} : { note: noteOf(request.phase, isQueued(open), this.#settings.waits !== false, unassigned.unassigned !== undefined) },
      process: describer.process(open.start, now, requests.count)
    }
    this.note(open, report.id)
    post({ type: 'report', report })
  }

  #count (rest: OpenRequest[], now: number): void {
    const counts = new Map<string, { what: string, count: number, longest: number }>()
    for (const { request, start } of rest) {
      const what = `${request.method} ${request.routeOptions.url ?? 'without a route'}`
      const entry = counts.get(what) ?? { what, count: 0, longest: 0 }
      counts.set(what, { what, count: entry.count + 1, longest: Math.max(entry.longest, now - start) })
    }
    this.#parts.post({ type: 'more', counts: [...counts.values()] })
  }

  #thresholdsOf (open: OpenRequest): readonly number[] {
    open.watch.thresholds ??= this.#parts.routes.of(open.request)
    return open.watch.thresholds
  }

  /** Once a request, by the first tick that finds it: code of the app's may run then. */
  #meet (open: OpenRequest): void {
    open.watch.met = true
    if (isQueued(open)) this.#queued.add(open)
    if (this.#thresholdsOf(open).length > 0 && this.#isIgnored(open.request)) open.watch.thresholds = []
  }

  #isIgnored (request: FastifyRequest): boolean {
    try {
      return this.#settings.ignore.some(item => typeof item === 'function' && item(request))
    } catch (error) {
      request.log.error({ err: error }, 'dogslow\'s option `ignore` threw')
      return false
    }
  }
}

/** Pipelined, and not its turn yet. */
function isQueued ({ reply }: OpenRequest): boolean {
  return reply.raw.socket === null
}

function noteOf (phase: string, queued: boolean, waits: boolean, hasUnassigned: boolean): string {
  if (phase === 'receiving') return 'The request\'s body has not arrived whole.'
  if (phase === 'sending' && queued) return 'The answer waits for those of earlier requests on the same connection.'
  if (phase === 'sending') return 'The answer is being sent; the client has not taken all of it.'
  if (hasUnassigned) return 'What it waits for is not known: to find out would have gone past the budget of `waits`.'
  return waits
    ? 'It waits for nothing that dogslow knows of: neither SQL, HTTP, cache, lock, pool nor timer.'
    : 'What it waits for is not noted, because the option `waits` is off.'
}
