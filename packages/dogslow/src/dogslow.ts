import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { Describer } from './describe.ts'
import { Health } from './health.ts'
import { HEAP_LIMIT } from './heap.ts'
import { useWaits } from './live.ts'
import { directLog, MainSinks } from './main-sinks.ts'
import type { ToMain, ToWatcher, WatcherData } from './messages.ts'
import { Monitor } from './monitor.ts'
import type { DogslowSettings, SentrySdk } from './options.ts'
import { OWN_FOLDERS } from './own.ts'
import { ProcessEnd } from './process-end.ts'
import { Profiles, type GeordiDecoration } from './profiles.ts'
import type { RequestEnd } from './report.ts'
import type { OpenRequest } from './open-request.ts'
import { Requests } from './requests.ts'
import { RouteThresholds } from './routes.ts'
import { toShared, type Shared } from './shared.ts'
import { answerSnapshots, stoppedReport } from './snapshot.ts'
import { seconds } from './text.ts'
import { tickOf } from './timing.ts'
import { Watcher } from './watcher.ts'

type Taken = Extract<ToMain, { type: 'taken' }>

let instances = 0

/** Everything of one app: the table of requests, the monitor on this thread, the watcher on its own. */
export class Dogslow {
  readonly #settings: DogslowSettings
  readonly #fastify: FastifyInstance
  readonly #shared: Shared = toShared()
  readonly #routes: RouteThresholds
  readonly #sinks: MainSinks
  readonly #profiles: Profiles
  readonly #requests: Requests
  readonly #live: ReturnType<typeof useWaits> | undefined
  /** What is to be told to the watcher once it is there. */
  readonly #early: ToWatcher[] = []
  /** How requests ended that the watcher has taken and not told of yet, by their start. */
  readonly #endings = new Map<number, Omit<RequestEnd, 'report'>>()
  #describer: Describer
  #monitor: Monitor | undefined
  #watcher: Watcher | undefined
  #undo: Array<() => void> = []

  constructor (settings: DogslowSettings, fastify: FastifyInstance, sentry: SentrySdk | undefined) {
    this.#settings = settings
    this.#fastify = fastify
    this.#routes = new RouteThresholds(settings)
    this.#sinks = new MainSinks(settings, fastify.log, sentry)
    this.#profiles = new Profiles(settings, fastify, event => this.#post({ type: 'event', event }))
    this.#requests = new Requests(this.#shared, {
      grown: ({ buffer }) => this.#post({ type: 'chunk', buffer }),
      left: open => this.#left(open),
      text: open => this.#describer.text(open),
      threshold: settings.thresholds[0]!
    })
    this.#live = settings.waits === false ? undefined : useWaits(this.#requests, settings.waits.budget)
    this.#describer = new Describer(settings, fastify, this.#live?.waits, new Health(0))
  }

  /** @throws DogslowError `GEORDI_DOGSLOW_OPTION_INVALID` for a wrong `config.dogslow` */
  addRoute (route: RouteOptions): void {
    this.#routes.add(route)
  }

  enter (request: FastifyRequest, reply: FastifyReply): OpenRequest {
    const open = this.#requests.enter(request, reply)
    this.#monitor?.wake()
    return open
  }

  /** @throws DogslowError `GEORDI_DOGSLOW_UNSUPPORTED`, `GEORDI_DOGSLOW_OPTION_INVALID` */
  async start (): Promise<void> {
    this.#profiles.check()
    // Who looks at a page of geordi's waits for a replay, and knows it.
    const { geordi } = this.#fastify as { geordi?: GeordiDecoration }
    if (geordi !== undefined) this.#routes.ignorePrefix(`${geordi.prefix}/`)
    const tick = tickOf(this.#routes.lowest)
    const health = new Health(tick)
    const describer = this.#describer = new Describer(this.#settings, this.#fastify, this.#live?.waits, health)
    const monitor = this.#monitor = new Monitor(this.#settings, tick, {
      requests: this.#requests,
      routes: this.#routes,
      describer,
      health,
      waits: this.#live?.waits,
      post: message => this.#post(message),
      reported: (open, report) => this.#profiles.offer(open.request, report)
    })
    const instance = `${process.pid}.${++instances}`
    const parts = { requests: this.#requests, monitor, describer, current: () => this.#current() }
    this.#undo.push(answerSnapshots(instance, parts))
    this.#watcher = new Watcher({
      data: this.#watcherData(instance, tick),
      shared: this.#shared,
      heard: message => this.#heard(message),
      died: (error, restarts) => this.#fastify.log.error({ err: error }, `dogslow's thread died${restarts ? ' and is started anew' : ' again; from now on nothing is reported'}`)
    })
    for (const message of this.#early) this.#watcher.post(message)
    await this.#watcher.start()
    const end = new ProcessEnd(this.#shared, code => {
      this.#requests.look(true)
      if (this.#requests.count === 0) return
      this.#post({ type: 'evidence', report: stoppedReport({ cause: `exit ${code}` }, parts) })
      this.#watcher?.waitForEvidence()
    })
    this.#undo.push(() => end.close())
  }

  /** The open request of this app in whose name a driver's callback runs. */
  #current (): OpenRequest | undefined {
    const open = this.#live?.waits.current as OpenRequest | undefined
    return open?.isOver === false && open.table === this.#requests ? open : undefined
  }

  /** Sends what waits to be sent, and leaves nothing behind. */
  async close (): Promise<void> {
    this.#monitor?.stop()
    for (const undo of this.#undo.reverse()) undo()
    this.#undo = []
    await this.#watcher?.close()
    this.#live?.release()
    this.#requests.close()
  }

  #post (message: ToWatcher): void {
    if (this.#watcher === undefined) this.#early.push(message)
    else this.#watcher.post(message)
  }

  #heard (message: ToMain): void {
    switch (message.type) {
      case 'event': this.#sinks.pass(message.event, message.logged); break
      case 'problem': this.#sinks.problem(message.sink, message.message); break
      case 'taken':
        for (const { place, start } of message.places) this.#taken(message, this.#requests.at(place), start)
        if (message.fresh !== undefined) this.#takenFresh(message, message.fresh)
    }
  }

  /** The watcher has reported a request while this thread could not. By now it may have ended. */
  #taken ({ report, owner }: Taken, open: OpenRequest | undefined, start: number): void {
    if (open?.start === start) {
      const now = performance.now()
      if (owner !== undefined && open.place !== owner) return this.#monitor?.putOff(open, report, undefined, now)
      this.#monitor?.pass(open, now)
      this.#monitor?.note(open, report)
      return
    }
    const event = this.#endings.get(start)
    this.#endings.delete(start)
    if (event !== undefined) this.#post({ type: 'event', event: { ...event, report } })
  }

  /** The same of those that no tick had met: they had begun by then. */
  #takenFresh (message: Taken, until: number): void {
    for (const open of this.#requests.all()) if (open.watch.taken && open.watch.reports === undefined && open.start <= until) this.#taken(message, open, open.start)
    for (const start of this.#endings.keys()) if (start <= until) this.#taken(message, undefined, start)
  }

  #left (open: OpenRequest): void {
    this.#live?.waits.forget(open)
    if (open.watch.taken && open.watch.reports === undefined) this.#endings.set(open.start, this.#endOf(open))
    if (open.watch.reports === undefined) return
    const event = this.#endOf(open)
    for (const report of open.watch.reports) this.#post({ type: 'event', event: { ...event, report } })
  }

  #endOf (open: OpenRequest): Omit<RequestEnd, 'report'> {
    const { raw } = open.reply
    const { method, url } = this.#describer.text(open)
    // Of one that was over before it was looked at, Fastify may know better.
    const duration = Math.round((open.reply.elapsedTime > 0 ? open.reply.elapsedTime : performance.now() - open.start) * 10) / 10
    const outcome = open.isAnswered ? 'answered' : 'cut off'
    const how = outcome === 'answered' ? `was answered with ${raw.statusCode}` : 'was cut off'
    return {
      type: 'end',
      time: new Date().toISOString(),
      summary: `${method} ${url} ${how} after ${seconds(duration)}`,
      method,
      url,
      ...raw.headersSent ? { status: raw.statusCode } : {},
      outcome,
      duration
    }
  }

  #watcherData (instance: string, tick: number): WatcherData {
    const { file, mail, webhook, perMinute, repeatAfter, thresholds } = this.#settings
    return {
      shared: this.#shared.buffer,
      instance,
      clock: Number(process.hrtime.bigint()) / 1e6 - performance.now(),
      timeOrigin: performance.timeOrigin,
      tick,
      threshold: thresholds[0]!,
      lowest: this.#routes.lowest,
      heapLimit: HEAP_LIMIT,
      cwd: process.cwd(),
      settings: { file, mail, webhook, perMinute, repeatAfter },
      log: directLog(this.#settings, this.#fastify.log),
      own: OWN_FOLDERS
    }
  }
}
