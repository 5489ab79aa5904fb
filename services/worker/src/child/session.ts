import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { Server, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import type { Run } from '@geordi/profile'
import { createCpuProfiler, withRun, type CpuProfiler } from '@geordi/profiler'
import type { CapturedRequest, ReplayedApp, ReplayProcess } from '@geordi/replay'
import { describeApp } from './app-package.ts'
import { disguise, speaksHttp, type ListeningServer } from './listen.ts'
import { isMessage, type ToChild, type ToParent, type WireProtocol } from './messages.ts'

const POLL = 20
/** An app that is still overloaded after this long (in milliseconds) is overloaded by itself: replay it anyway. */
const CALM_LIMIT = 10_000

/** The replay process's own side: waits for the app, prepares for the one request, records it. */
export class ReplaySession implements ReplayProcess {
  request: Omit<CapturedRequest, 'body'> | undefined
  #app: ReplayedApp | undefined
  #target: ListeningServer | undefined
  #profiler: CpuProfiler | undefined
  #start = 0
  #end = 0
  readonly #listening: ListeningServer[] = []

  constructor () {
    process.on('message', (message: unknown) => {
      if (isMessage<ToChild>(message)) this.#handle(message).catch(error => this.fail(error))
    })
    // The channel must not keep an app alive that has nothing left to do: its end says that it can't be replayed.
    process.channel?.unref()
  }

  attach (app: ReplayedApp): void {
    this.#app = app
    this.#announce()
  }

  listening (server: ListeningServer): void {
    if (!speaksHttp(server.server)) return
    this.#listening.push(server)
    // The app with the plugin is the one; where there is none, the first server to listen.
    setImmediate(() => this.#announce())
  }

  fail (error: unknown): void {
    const { code, message, stack } = error as NodeJS.ErrnoException
    send({ geordi: 'failed', code: code ?? 'GEORDI_APP_START', message: code?.startsWith('GEORDI_') ? message : stack ?? String(error) })
  }

  #announce (): void {
    if (this.#target !== undefined) return
    const target = this.#app === undefined ? this.#listening[0] : this.#listening.find(({ server }) => server === this.#app!.server)
    if (target === undefined) return
    this.#target = target
    lift(target.server)
    target.server.prependListener('connection', (socket: Socket) => this.#disguise(socket))
    target.server.prependListener('secureConnection', (socket: Socket) => this.#disguise(socket))
    target.server.prependListener('request', (request, response) => this.#observe(request, response))
    // Loading the addon takes 40 ms: better now, as a spare, than when somebody waits.
    createCpuProfiler()
    send({ geordi: 'listening', socketPath: target.socketPath, protocol: wireProtocol(target.server) })
  }

  async #handle (message: ToChild): Promise<void> {
    switch (message.geordi) {
      case 'prepare': return this.#prepare(message)
      case 'finish': return this.#finish(message)
      case 'close': return this.#close()
    }
  }

  async #prepare ({ request, interval }: Extract<ToChild, { geordi: 'prepare' }>): Promise<void> {
    this.request = request
    const limit = performance.now() + CALM_LIMIT
    while (this.#app?.isOverloaded() && performance.now() < limit) await delay(POLL)
    this.#profiler = createCpuProfiler({ interval })
    this.#profiler.start()
    send({ geordi: 'prepared' })
  }

  async #finish ({ file, response }: Extract<ToChild, { geordi: 'finish' }>): Promise<void> {
    const profiler = this.#profiler!
    const recorded = profiler.stop()
    // Without a close of the response (a hijacked socket) the run ends when the worker has the answer.
    const window = { start: this.#start, end: this.#end === 0 ? now() : this.#end }
    const run: Run = {
      ...this.#describe(profiler),
      response,
      wallTime: window.end - window.start
    }
    await writeFile(file, JSON.stringify(withRun(recorded, run, window)), { mode: 0o600 })
    send({ geordi: 'finished', run })
  }

  #describe (profiler: CpuProfiler): Run {
    const { method, url, capturedAt, by } = this.request!
    return {
      request: { method, url, capturedAt, ...(by === undefined ? {} : { by }) },
      process: { hostname: hostname(), pid: process.pid, node: process.version, ...describeApp(process.argv[1]!) },
      profiler: { engine: profiler.engine, interval: profiler.interval }
    }
  }

  /** Work that the handler left behind (a mail, a log line) gets the time that a shutdown gives it. */
  async #close (): Promise<void> {
    await this.#app?.close()
    process.exit()
  }

  #observe (request: IncomingMessage, response: ServerResponse): void {
    if (this.#start !== 0 || this.request === undefined) return
    this.#start = now()
    response.once('close', () => { this.#end = now() })
    request.socket.setTimeout(0)
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
  // http2's servers are told by a listener they install; `allowHTTP1` servers speak HTTP/1.1 over TLS as well.
  const secure = server instanceof TlsServer
  const http2 = server.constructor.name.startsWith('Http2')
  if (!http2) return secure ? 'https' : 'http'
  return secure ? 'h2' : 'h2c'
}

function now (): number {
  return Number(process.hrtime.bigint() / 1000n)
}

function send (message: ToParent): void {
  process.send?.(message)
}
