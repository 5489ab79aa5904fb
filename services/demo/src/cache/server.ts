import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createCommandReader } from './commands.ts'
import type { AddressInfo, Socket } from 'node:net'

/** A cache server on this machine's loopback interface. */
export interface CacheServer {
  /** `redis://…`, with its password. */
  readonly url: string
  /** How often each command has come, by its name in capitals. */
  readonly commands: ReadonlyMap<string, number>
  stop (): Promise<void>
}

/** What the server's clients share. */
interface State {
  readonly password: string
  readonly values: Map<string, { value: string, expires: number }>
  readonly commands: Map<string, number>
}

/**
 * Starts a cache for a machine without Redis, on a free port: it speaks Redis's protocol, as far as AUTH, PING, GET, SET
 * with EX, DEL and QUIT, and forgets everything when it stops.
 */
export async function startCacheServer (): Promise<CacheServer> {
  // Anybody on this machine can connect to the port.
  const state: State = { password: randomBytes(24).toString('base64url'), values: new Map(), commands: new Map() }
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, state)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `redis://:${state.password}@127.0.0.1:${port}`,
    commands: state.commands,
    async stop () {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}

function serve (socket: Socket, state: State): void {
  const read = createCommandReader()
  let trusted = false
  socket.setNoDelay(true)
  // A client that breaks off is not this server's trouble.
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    try {
      for (const [name = '', ...words] of read(chunk)) {
        const command = name.toUpperCase()
        state.commands.set(command, (state.commands.get(command) ?? 0) + 1)
        if (command === 'AUTH') trusted = words.at(-1) === state.password
        if (command === 'QUIT') socket.end('+OK\r\n')
        // Clients that would rather speak version 3 go on in version 2 then.
        else if (command === 'HELLO') socket.write('-NOPROTO unsupported protocol version\r\n')
        else socket.write(trusted ? answer(state, command, words) : '-NOAUTH Authentication required.\r\n')
      }
    } catch (error) {
      socket.end(`-ERR ${(error as Error).message}\r\n`)
    }
  })
}

function answer ({ values }: State, command: string, [key = '', value = '', option, seconds]: readonly string[]): string {
  switch (command) {
    case 'AUTH': return '+OK\r\n'
    case 'PING': return '+PONG\r\n'
    case 'GET': return bulk(read(values, key))
    case 'SET': {
      const lifetime = option?.toUpperCase() === 'EX' ? Number(seconds) : option === undefined ? Infinity : NaN
      if (!(lifetime > 0)) return '-ERR syntax error\r\n'
      values.set(key, { value, expires: Date.now() + lifetime * 1000 })
      return '+OK\r\n'
    }
    case 'DEL': return `:${values.delete(key) ? 1 : 0}\r\n`
    default: return `-ERR unknown command '${command.replace(/[^\w-]/g, '')}'\r\n`
  }
}

function read (values: State['values'], key: string): string | null {
  const found = values.get(key)
  if (!found || found.expires > Date.now()) return found?.value ?? null
  values.delete(key)
  return null
}

function bulk (value: string | null): string {
  return value === null ? '$-1\r\n' : `$${Buffer.byteLength(value)}\r\n${value}\r\n`
}
