import { subscribe } from 'node:diagnostics_channel'
import { Server as HttpServer } from 'node:http'
import { isIP, Server, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'

/** What of a Fastify instance is used here; the app brings its own version of Fastify. */
export interface Instance {
  readonly server: Server
  register (plugin: unknown, options: object): unknown
  listen (options: object): Promise<unknown>
  close (): Promise<unknown>
  readonly initialConfig: { readonly handlerTimeout?: number }
  addHook (name: 'onRoute', hook: (route: { handlerTimeout?: number }) => void): unknown
}

/** What the app has created and opened so far. */
export interface CapturedServers {
  /** Fastify instances created in this process. */
  readonly instances: number
  /** Calls of `listen()` on any server. */
  readonly listens: number
}

/** Who is told what the app creates and opens. */
export interface ServerListener {
  created (instance: Instance): void
  listening (server: ListeningServer): void
}

/** A server of the app's that accepts connections, and where. */
export interface ListeningServer {
  readonly server: Server
  readonly socketPath: string
}

/** `node:http2`'s servers are no `http.Server`; this is what they have in common. */
export function speaksHttp (server: Server): boolean {
  return server instanceof HttpServer || server.listenerCount('request') > 0 || server.listenerCount('stream') > 0
}

/**
 * From now on every server in this process listens on a unix socket of its own in `folder`, whatever
 * port or path it asks for: the ports belong to the production process on the same machine.
 */
export function captureServers (folder: string, listener: ServerListener): CapturedServers {
  const counts = { instances: 0, listens: 0 }
  // Published by fastify 5 at each `Fastify()`; fastify 4 and others just don't publish.
  subscribe('fastify.initialization', message => {
    counts.instances++
    listener.created((message as { fastify: Instance }).fastify)
  })

  const listen = Server.prototype.listen
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const socketPath = join(folder, `${counts.listens++}.sock`)
    const callback = args.findLast(arg => typeof arg === 'function') as (() => void) | undefined
    const { signal } = (isObject(args[0]) ? args[0] : {}) as { signal?: AbortSignal }
    this.once('listening', () => listener.listening({ server: this, socketPath }))
    pretendAddress(this, args)
    return listen.call(this, { path: socketPath, ...(signal === undefined ? {} : { signal }) }, callback)
  } as typeof listen
  return counts
}

/** An app that reads its port from its server finds the one that it asked for: a URL made of it stays a URL. */
function pretendAddress (server: Server, [first, second]: unknown[]): void {
  const { port = first, host = second, path, fd } = (isObject(first) ? first : {}) as { port?: unknown, host?: unknown, path?: unknown, fd?: unknown }
  // A path, a handle or a descriptor has no port; the socket's own address is as good as any.
  if (path !== undefined || fd !== undefined || isObject(port) || Number.isNaN(Number(port ?? 0))) return
  const address = typeof host !== 'string' || host === '' ? '::' : host === 'localhost' ? '127.0.0.1' : host
  const pretended: AddressInfo = { address, family: isIP(address) === 6 ? 'IPv6' : 'IPv4', port: Number(port ?? 0) }
  server.address = () => server.listening ? { ...pretended } : null
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Gives a connection over the unix socket the ends that the captured one had. */
export function disguise (socket: Socket, ends: Partial<Record<'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort' | 'encrypted', unknown>>): void {
  for (const [name, value] of Object.entries(ends)) {
    if (value !== undefined) Object.defineProperty(socket, name, { value, configurable: true })
  }
}
