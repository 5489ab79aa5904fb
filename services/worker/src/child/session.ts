import { rmSync } from 'node:fs'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import type { Run } from '@geordi/profile'
import { createCpuProfiler } from '@geordi/profiler'
import type { CapturedRequest, ReplayedApp, ReplayProcess } from '@geordi/replay'
import { describeApp } from './app-package.ts'
import { disguise, type Instance, type ListeningServer, type ServerListener } from './listen.ts'
import { isMessage, PROFILE_FILE, type ToChild, type ToParent, type WireProtocol } from './messages.ts'
import { Recording } from './recording.ts'
import { Target } from './target.ts'

/** A route's `handlerTimeout: 0` falls back to the server's, so «none» is Node's longest timer. */
const NO_TIMEOUT = 2 ** 31 - 1
const POLL = 20
/** An app that is still overloaded after this long (in milliseconds) is overloaded by itself: replay it anyway. */
const CALM_LIMIT = 10_000

/** The replay process's own side: waits for the app, prepares for the one request, records it. */
export class ReplaySession implements ReplayProcess, ServerListener {
  request: Omit<CapturedRequest, 'body'> | undefined
  #app: ReplayedApp | undefined
  #announced = false
  #recording: Recording | undefined
  readonly #entry: string
  readonly #folder: string
  readonly #target = new Target(() => this.#announce())

  /**
   * @param entry The app's file; `process.argv` is the app's own to change.
   * @param folder Where its sockets and the profile are.
   */
  constructor (entry: string, folder: string) {
    this.#entry = entry
    this.#folder = folder
    listenToWorker(message => { this.#handle(message).catch(error => this.fail(error)) })
    process.on('exit', code => this.#exits(code))
  }

  /** Whether the app has opened a server that could take a request. */
  get serves (): boolean {
    return this.#target.opened
  }

  attach (app: ReplayedApp): void {
    this.#app = app
    this.#target.attach(app.server)
  }

  created (instance: Instance): void {
    // A route that has no time limit must not get one, however long: Fastify aborts the `request.signal` of those that
    // have one at the end of the request's body.
    instance.addHook('onRoute', route => {
      if (route.handlerTimeout || instance.initialConfig.handlerTimeout) route.handlerTimeout = NO_TIMEOUT
    })
    this.#target.created(instance)
  }

  listening (server: ListeningServer): void {
    this.#target.listening(server)
  }

  evaluated (): void {
    this.#target.evaluated()
  }

  fail (error: unknown): void {
    const { code, message, stack } = (error ?? {}) as NodeJS.ErrnoException
    const ours = code?.startsWith('GEORDI_') === true
    send({ geordi: 'failed', code: ours ? code : 'GEORDI_APP_START', message: ours ? message : stack ?? String(error) })
  }

  #announce (): void {
    if (this.#announced) return
    this.#announced = true
    // Loading the addon takes 40 ms: better now, as a spare, than when somebody waits.
    createCpuProfiler()
    send({ geordi: 'listening' })
  }

  async #handle (message: ToChild): Promise<void> {
    switch (message.geordi) {
      case 'prepare': return this.#prepare(message)
      case 'finish': return this.#finish(message.outcome)
      case 'close': return this.#close()
    }
  }

  async #prepare ({ request, interval }: Extract<ToChild, { geordi: 'prepare' }>): Promise<void> {
    this.request = request
    const limit = performance.now() + CALM_LIMIT
    while (this.#app?.isOverloaded() && performance.now() < limit) await delay(POLL)
    const { server, socketPath } = this.#target.server!
    lift(server)
    server.prependListener('connection', (socket: Socket) => this.#disguise(socket))
    server.prependListener('secureConnection', (socket: Socket) => this.#disguise(socket))
    this.#observe(server)
    this.#recording = new Recording(join(this.#folder, PROFILE_FILE), interval)
    send({ geordi: 'prepared', socketPath, protocol: wireProtocol(server) })
  }

  #finish (outcome: Pick<Run, 'response' | 'ended'>): void {
    send({ geordi: 'finished', run: this.#save(outcome) })
  }

  #save (outcome: Pick<Run, 'response' | 'ended'>): Run {
    const recording = this.#recording!
    this.#recording = undefined
    return recording.save({ ...this.#describe(recording), ...outcome })
  }

  /** The app ends the process (`process.exit()`, an uncaught error) while it is recorded: what there is until here is kept. */
  #exits (code: number): void {
    if (this.#recording === undefined) return
    const { statusCode } = this.#recording
    try {
      this.#save({ ended: `the process exited with code ${code}`, ...(statusCode === undefined ? {} : { response: { statusCode } }) })
    } catch {
      // How the app ends is its own affair, whatever became of the recording.
    }
  }

  #describe ({ profiler }: Recording): Run {
    const { method, url, shownUrl = url, capturedAt, by } = this.request!
    return {
      request: { method, url: shownUrl, capturedAt, ...(by === undefined ? {} : { by }) },
      process: { hostname: hostname(), pid: process.pid, node: process.version, ...describeApp(this.#entry) },
      profiler
    }
  }

  /** Work that the handler left behind (a mail, a log line) gets the time that a shutdown gives it. */
  async #close (): Promise<void> {
    try {
      const { server } = this.#target.server ?? {}
      await (this.#app ?? this.#target.instances.find(instance => instance.server === server))?.close()
    } finally {
      // The worker has what it wants from it, and may be killed before it removes it.
      rmSync(this.#folder, { recursive: true, force: true })
      process.exit()
    }
  }

  /** Only events that the app listens for itself: a first listener of ours would change what the server does. */
  #observe (server: Server): void {
    if (server.listenerCount('request') > 0) {
      server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => this.#begin(request.socket, response))
    } else {
      server.prependListener('stream', (stream: ServerHttp2Stream) => this.#begin(undefined, stream))
    }
    if (server.listenerCount('upgrade') > 0) {
      server.prependListener('upgrade', (_request: IncomingMessage, socket: Socket) => this.#begin(socket, socket))
    }
  }

  #begin (socket: Socket | undefined, answer: EventEmitter): void {
    if (this.#recording?.begin(answer)) socket?.setTimeout(0)
  }

  #disguise (socket: Socket): void {
    if (this.request !== undefined) disguise(socket, encryptedOnly(this.request.connection))
  }
}

/** `encrypted` is only defined where it is true, as on a real socket. */
function encryptedOnly ({ encrypted, ...ends }: CapturedRequest['connection']) {
  return encrypted ? { encrypted, ...ends } : ends
}

/** No time limit in the replay: neither Node's nor those that the app set on its server. */
function lift (server: Server): void {
  const http = server as HttpServer
  http.requestTimeout = 0
  http.headersTimeout = 0
  http.keepAliveTimeout = 0
  http.setTimeout?.(0)
}

function wireProtocol (server: Server): WireProtocol {
  // http2's server classes are not exported, but named. `allowHTTP1` servers speak HTTP/1.1 over TLS as well.
  const secure = server instanceof TlsServer
  const http2 = server.constructor.name.startsWith('Http2')
  if (!http2) return secure ? 'https' : 'http'
  return secure ? 'h2' : 'h2c'
}

function send (message: ToParent): void {
  process.send?.(message)
}

/** Takes the worker's messages out of the channel, so that an app with a `message` listener of its own doesn't meet them. */
function listenToWorker (listener: (message: ToChild) => void): void {
  const { emit } = process
  process.emit = function (this: NodeJS.Process, event: string, ...args: unknown[]) {
    if (event !== 'message' || !isMessage<ToChild>(args[0])) return Reflect.apply(emit, this, [event, ...args])
    listener(args[0])
    return true
  } as typeof emit
  // Without a listener Node keeps the messages back.
  process.on('message', () => {})
  // The channel must not keep an app alive that has nothing left to do: its end says that it can't be replayed.
  process.channel?.unref()
}
