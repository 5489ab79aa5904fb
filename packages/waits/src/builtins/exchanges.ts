import net from 'node:net'
import type { Recorder } from '../recorder.ts'

/** A connection that this process has opened to a server. */
interface Connection {
  readonly target: string
  /** What was last done with it: it was opened, or something was asked. */
  last?: { readonly recorder: Recorder, readonly record: number }
  /** The wait for the answer, and whether a part of that is there. */
  exchange?: { readonly wait: number, answered: boolean } | undefined
}

/** A server's own are not among them. */
const connections = new WeakMap<net.Socket, Connection>()

/** Notes where a connection leads and, within a recording, who opens it. */
export function noteConnection (socket: net.Socket, target: string, recorder?: Recorder, record?: number): void {
  connections.set(socket, { target, ...recorder !== undefined && record !== undefined && { last: { recorder, record } } })
}

/** A record of who writes: of whom the connection was opened or used for last, where that is done in a callback of the socket's own. */
export function recordOfWriter (recorder: Recorder, socket: net.Socket): number {
  const last = recorder.current === 0 ? connectionOf(socket)?.last : undefined
  return last?.recorder === recorder ? recorder.besides(last.record) : recorder.record()
}

/**
 * Something is written to a socket. Where that is a connection to a server by a driver that geordi doesn't know, the answer is waited for: from the
 * first thing that is written to the last piece that comes before the next is. What is asked before the answer is there is a part of the same
 * exchange: who doesn't know the protocol can't tell which answer is whose.
 */
export function ask (recorder: Recorder, record: number, socket: net.Socket): void {
  const connection = connectionOf(socket)
  if (connection === undefined) return
  const { last, exchange } = connection
  if (last?.recorder === recorder && exchange?.answered === false) return
  connection.last = { recorder, record }
  connection.exchange = { wait: recorder.open(record, { kind: 'network', statement: 'exchange', target: connection.target, driver: 'node:net' }), answered: false }
}

/** Has what comes in end the exchange, and be read in the name of who asked. `push` instead of listeners, the first of which changes what happens. */
export function patchAnswers (): void {
  const { push } = net.Socket.prototype
  Object.defineProperty(net.Socket.prototype, 'push', {
    configurable: true,
    writable: true,
    value: function (this: net.Socket, ...args: Parameters<typeof push>): boolean {
      const { last, exchange } = connectionOf(this) ?? {}
      if (last === undefined || exchange === undefined || args[0] === null || !last.recorder.isRunning) return Reflect.apply(push, this, args)
      const { recorder, record } = last
      const bytes = (args[0] as Buffer).length
      if (exchange.answered) recorder.extend(exchange.wait, bytes)
      else recorder.close(exchange.wait, false, undefined, bytes)
      exchange.answered = true
      return recorder.enter(recorder.besides(record), push, this, args) as boolean
    }
  })
}

/** Of a TLS socket that is on top of the one that was connected, too. */
function connectionOf (socket: net.Socket): Connection | undefined {
  const connection = connections.get(socket)
  if (connection !== undefined) return connection
  const below = (socket as { _parent?: net.Socket | null })._parent
  return below === undefined || below === null ? undefined : connections.get(below)
}
