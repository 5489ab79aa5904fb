import { subscribe } from 'node:diagnostics_channel'
import { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'node:net'
import { join } from 'node:path'

/** What the app has created and opened so far. */
export interface CapturedServers {
  /** Fastify instances created in this process. */
  readonly instances: number
  /** Calls of `listen()` on any server. */
  readonly listens: number
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
export function captureServers (folder: string, onListening: (listening: ListeningServer) => void): CapturedServers {
  const counts = { instances: 0, listens: 0 }
  // Published by fastify 5 at each `Fastify()`; fastify 4 and others just don't publish.
  subscribe('fastify.initialization', () => { counts.instances++ })

  const listen = Server.prototype.listen
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const socketPath = join(folder, `${counts.listens++}.sock`)
    const callback = args.findLast(arg => typeof arg === 'function') as (() => void) | undefined
    const { signal } = (typeof args[0] === 'object' && args[0] !== null ? args[0] : {}) as { signal?: AbortSignal }
    this.once('listening', () => onListening({ server: this, socketPath }))
    return listen.call(this, { path: socketPath, ...(signal === undefined ? {} : { signal }) }, callback)
  } as typeof listen
  return counts
}

/** Gives a connection over the unix socket the ends that the captured one had. */
export function disguise (socket: Socket, ends: Partial<Record<'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort' | 'encrypted', unknown>>): void {
  for (const [name, value] of Object.entries(ends)) {
    if (value !== undefined) Object.defineProperty(socket, name, { value, configurable: true })
  }
}
