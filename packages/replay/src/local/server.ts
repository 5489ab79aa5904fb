import { fork } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ReplayError } from '../errors.ts'
import { serverEnvironment } from './launch.ts'
import { markProcess, stopProcess } from './processes.ts'
import { findRedisServer } from './redis.ts'
import type { ProcessMark } from './processes.ts'
import type { GuardOrder, GuardReport } from './messages.ts'

/** Options of {@link startLocalServer}. */
export interface LocalServerOptions {
  /**
   * Which server. `auto`: redis-server or valkey-server where one is on the PATH, else the embedded PostgreSQL.
   * @defaultValue 'auto'
   */
  kind?: 'redis' | 'postgres' | 'auto'
  /**
   * Where its data is kept; made if missing, found again at the next start. One folder serves one kind.
   * @defaultValue a temporary folder, which is removed when the server stops
   */
  folder?: string
  /** TCP port on 127.0.0.1. @defaultValue a free one */
  port?: number
}

/** A server that runs on this machine for us alone. */
export interface LocalServer {
  readonly kind: 'redis' | 'postgres'
  /** With its password: `redis://…` or `postgres://…`. */
  readonly url: string
  /** Its guard's and its own process id. */
  readonly pids: readonly number[]
  /** Settles when it has ended: null after {@link stop}, else why it ended by itself. */
  readonly ended: Promise<string | null>
  /** Ends it and waits until its processes are gone. Calling it again is harmless. */
  stop (): Promise<void>
}

/**
 * Starts a queue (and database) server for development and tests: loopback only, with a random password. It ends with
 * this process, however this process ends. While it runs it keeps this process alive.
 *
 * @throws ReplayError, whose `code` tells what is missing
 */
export async function startLocalServer (options: LocalServerOptions = {}): Promise<LocalServer> {
  const asked = options.kind ?? 'auto'
  const command = asked === 'postgres' ? null : findRedisServer()
  if (asked === 'redis' && command === null) {
    throw new ReplayError('GEORDI_LOCAL_NO_REDIS', 'Neither redis-server nor valkey-server is on the PATH.')
  }
  const kind = command === null ? 'postgres' : 'redis'
  const folder = options.folder === undefined ? mkdtempSync(join(tmpdir(), 'geordi-')) : resolvePath(options.folder)
  const order: GuardOrder = { type: 'start', kind, command, folder, temporary: options.folder === undefined, port: options.port ?? null }

  const guard = fork(fileURLToPath(new URL('./guard.js', import.meta.url)), [], {
    // A session of its own: neither the terminal's Ctrl-C nor a kill of our process group reaches it or the server.
    detached: true,
    execArgv: [],
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  let complaint = ''
  guard.stderr?.setEncoding('utf8').on('data', (text: string) => { complaint = (complaint + text).slice(-4_000) })

  let stopped = false
  let diedBecause: string | null = null
  let server: ProcessMark | null = null
  // The channel's end too: its last words may be read after the exit is known.
  const exited = Promise.all([
    new Promise<void>(resolve => guard.once('exit', () => resolve())),
    new Promise<void>(resolve => guard.once('disconnect', () => resolve()))
  ])
  const ended = exited.then(async () => {
    // A guard that was killed leaves its server to us.
    if (server) await stopProcess(server, [['SIGINT', 10_000], ['SIGKILL', 5_000]])
    return stopped ? null : diedBecause ?? 'its guard process was killed'
  })
  const stop = async () => {
    stopped = true
    // If the channel is closed already, the guard is ending by itself.
    if (guard.connected) guard.send({ type: 'stop' } satisfies GuardOrder, () => {})
    await ended
  }

  const url = await new Promise<string>((resolve, reject) => {
    guard.on('message', (report: GuardReport) => {
      if (report.type === 'ready') {
        server = markProcess(report.pid)
        resolve(report.url)
      } else if (report.type === 'died') {
        diedBecause = report.reason
      } else {
        // Its folder is cleared away before anyone hears of it.
        exited.then(() => reject(new ReplayError(report.code ?? 'GEORDI_LOCAL_START_FAILED', report.message)))
      }
    })
    guard.once('error', reject)
    exited.then(() => setImmediate(() => reject(new ReplayError('GEORDI_LOCAL_START_FAILED', `The server's guard process ended.\n${complaint}`))))
    guard.send(order, error => { if (error) reject(error) })
  })
  const pids = [guard.pid, (server as ProcessMark | null)?.pid].filter(pid => pid !== undefined)
  return { kind, url, pids, ended, stop }
}
