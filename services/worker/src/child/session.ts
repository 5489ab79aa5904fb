import { rmSync } from 'node:fs'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import type { Run } from '@geordi/profile'
import type { CapturedRequest, ReplayedApp, ReplayProcess } from '@geordi/replay'
import { describeApp } from './app-package.ts'
import type { Watchdog } from './end-with-worker.ts'
import { KEEP, type Interrupted } from './keep.ts'
import { disguise, type Instance, type ListeningServer, type ServerListener } from './listen.ts'
import { isMessage, type ToChild, type ToParent, type WireProtocol } from './messages.ts'
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
  /** What a report tells of the body, which this process has only as the app gets it. */
  #text: Extract<ToChild, { geordi: 'prepare' }>['text'] = {}
  #announced = false
  #recording: Recording | undefined
  /** Read before the app runs: who deploys over it later changes the files, not what runs here. */
  readonly #package: ReturnType<typeof describeApp>
  readonly #folder: string
  readonly #watchdog: Watchdog
  readonly #target = new Target(() => this.#announce())

  /**
   * @param entry The app's file; `process.argv` is the app's own to change.
   * @param folder Where its sockets and the profile are.
   * @param watchdog Has the recording kept now and then.
   */
  constructor (entry: string, folder: string, watchdog: Watchdog) {
    this.#package = describeApp(entry)
    this.#folder = folder
    this.#watchdog = watchdog
    Object.defineProperty(globalThis, Symbol.for(KEEP), { value: () => JSON.stringify(this.#keep()) })
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
    const { app } = this.#package
    send({ geordi: 'listening', ...(app === undefined ? {} : { app }) })
  }

  async #handle (message: ToChild): Promise<void> {
    switch (message.geordi) {
      case 'prepare': return this.#prepare(message)
      case 'finish': return this.#finish(message.outcome)
      case 'close': return this.#close()
    }
  }

  async #prepare ({ request, text, recording }: Extract<ToChild, { geordi: 'prepare' }>): Promise<void> {
    this.request = request
    this.#text = text
    const limit = performance.now() + CALM_LIMIT
    while (this.#app?.isOverloaded() && performance.now() < limit) await delay(POLL)
    const { server, socketPath } = this.#target.server!
    lift(server)
    server.prependListener('connection', (socket: Socket) => this.#disguise(socket))
    server.prependListener('secureConnection', (socket: Socket) => this.#disguise(socket))
    this.#observe(server)
    this.#recording = new Recording(this.#folder, recording)
    this.#watchdog.recording()
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

  /** Called while the app is interrupted, wherever that is. */
  #keep (): Interrupted {
    const start = performance.now()
    const recording = this.#recording
    const kept = recording?.keep(() => this.#describe(recording)) ?? false
    return { kept, took: performance.now() - start }
  }

  /** The app ends the process (`process.exit()`, an uncaught error) while it is recorded: what there is until here is kept. */
  #exits (code: number): void {
    if (this.#recording === undefined) return
    try {
      this.#save({ ended: `the process exited with code ${code}` })
    } catch {
      // How the app ends is its own affair, whatever became of the recording.
    }
  }

  #describe ({ profiler, statusCode }: Recording): Run {
    const { method, url, shownUrl = url, capturedAt, by } = this.request!
    return {
      request: { method, url: shownUrl, capturedAt, ...(by === undefined ? {} : { by }), ...this.#text },
      process: { hostname: hostname(), pid: process.pid, node: process.version, ...this.#package },
      profiler,
      ...(statusCode === undefined ? {} : { response: { statusCode } })
    }
  }

  /** Work that the handler left behind (a mail, a log line) gets the time that a shutdown gives it. */
  async #close (): Promise<void> {
    // The worker has what it wants from it, and may be killed, as this process may, before it removes it.
    rmSync(this.#folder, { recursive: true, force: true })
    try {
      const { server } = this.#target.server ?? {}
      await (this.#app ?? this.#target.instances.find(instance => instance.server === server))?.close()
    } finally {
      process.exit()
    }
  }

  /**
   * Around `emit`, because all that the app does with the request is to be called by the recorder. Node's HTTP/2 servers emit `stream` first and
   * `request` within, where the app listens for it.
   */
  #observe (server: Server): void {
    const { emit } = server
    const begins = server.listenerCount('request') > 0 ? 'request' : 'stream'
    server.emit = (event: string, ...args: unknown[]) => {
      // Bound, for a function of ours would be in the graph.
      const handle = emit.bind(server, event, ...args) as () => boolean
      if (event !== begins && event !== 'upgrade') return handle()
      if (this.#recording?.awaitsRequest !== true) return handle()
      const { socket, answer } = arrived(event, args)
      socket?.setTimeout(0)
      return this.#recording.begin(answer, handle)
    }
  }

  #disguise (socket: Socket): void {
    if (this.request !== undefined) disguise(socket, encryptedOnly(this.request.connection))
  }
}

/** Whom a server's event is about, and what tells the end of the answer. */
function arrived (event: string, args: unknown[]): { socket?: Socket, answer: EventEmitter } {
  if (event === 'stream') return { answer: args[0] as ServerHttp2Stream }
  const { socket } = args[0] as IncomingMessage
  return { socket, answer: event === 'upgrade' ? socket : args[1] as ServerResponse }
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
