/**
 * The guard process: it starts one server, and ends it when its parent says so or is gone. The parent may be killed in
 * any way, -9 included: the IPC channel closes with it, and `disconnect` is the order to stop.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ReplayError } from '../errors.ts'
import { claimFolder, noteServer, releaseFolder } from './folder.ts'
import { freePort, serverEnvironment } from './launch.ts'
import { postgresLaunch } from './postgres.ts'
import { stopChild } from './processes.ts'
import { redisLaunch } from './redis.ts'
import type { ChildProcess } from 'node:child_process'
import type { Account } from './account.ts'
import type { Launch } from './launch.ts'
import type { GuardOrder, GuardReport } from './messages.ts'

/** How long a server may take until it accepts connections; a crash's log may have to be played back first. */
const startLimit = 120_000

const stopping = new AbortController()
/** What has to be undone, the latest first. Each is registered before what it undoes is done. */
const undo: Array<() => unknown> = []
let work: Promise<void> = Promise.resolve()

// The terminal's Ctrl-C, or a `kill` of everything, must not take the server from under an app that is still closing
// its connections: the parent decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

process.on('disconnect', () => end(0))
process.on('message', (order: GuardOrder) => {
  if (order.type === 'stop') end(0)
  else work = start(order).catch(fail)
})

function report (message: GuardReport): void {
  // The parent may go at any moment; nobody is left to be told then.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

function end (code: number): void {
  if (stopping.signal.aborted) return
  stopping.abort()
  work.then(async () => {
    for (const step of undo.reverse()) {
      try { await step() } catch { /* the next steps matter more */ }
    }
    process.exit(code)
  })
}

function fail (error: unknown): void {
  const code = error instanceof ReplayError ? error.code : null
  report({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) })
  // Not before `work` is settled, which is this very promise.
  setImmediate(end, 1)
}

async function start (order: Extract<GuardOrder, { type: 'start' }>): Promise<void> {
  const { folder } = order
  if (order.temporary) undo.push(() => rm(folder, { recursive: true, force: true }))
  // Its parents are made with the usual mode: the account that PostgreSQL runs as must come through.
  mkdirSync(dirname(folder), { recursive: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await claimFolder(folder)
  undo.push(() => releaseFolder(folder))
  const attempts = order.port === null ? 3 : 1
  for (let attempt = 1; ; attempt++) {
    stopping.signal.throwIfAborted()
    const port = order.port ?? await freePort()
    const launch = order.kind === 'redis' && order.command !== null
      ? redisLaunch(order.command, folder, port)
      : await postgresLaunch(folder, port, runToEnd)
    stopping.signal.throwIfAborted()
    try {
      const server = await startServer(launch, folder)
      report({ type: 'ready', url: launch.url, pid: server.pid ?? 0 })
      return
    } catch (error) {
      // Between finding a free port and using it, someone else may have taken it.
      const taken = error instanceof ReplayError && error.code === 'GEORDI_LOCAL_PORT_TAKEN'
      if (!taken || attempt === attempts) throw error
    }
  }
}

function startServer (launch: Launch, folder: string): Promise<ChildProcess> {
  const { child, output } = spawnChild(launch.command, launch.args, launch.account)
  undo.push(() => stopChild(child, launch.stopSteps))
  if (child.pid !== undefined) noteServer(folder, child.pid)
  child.stdin?.on('error', () => {}) // it died before it read its configuration: its exit tells
  child.stdin?.end(launch.input)
  return new Promise((resolve, reject) => {
    let ready = false
    const failed = (why: string) => {
      const taken = /Address already in use/i.test(output())
      reject(new ReplayError(taken ? 'GEORDI_LOCAL_PORT_TAKEN' : 'GEORDI_LOCAL_START_FAILED',
        `${launch.command} ${why}. Its last output:\n${output()}`))
    }
    const timer = setTimeout(failed, startLimit, `is not ready after ${startLimit / 1000} s`)
    const watch = () => {
      if (ready || !output().includes(launch.readyText)) return
      ready = true
      clearTimeout(timer)
      resolve(child)
    }
    child.stdout?.on('data', watch)
    child.stderr?.on('data', watch)
    stopping.signal.addEventListener('abort', () => { clearTimeout(timer); reject(stopping.signal.reason) })
    child.once('error', error => { clearTimeout(timer); failed(`can't be started (${error.message})`) })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const why = `ended by itself (${signal ?? `exit code ${code}`})`
      if (!ready) return failed(why)
      if (stopping.signal.aborted) return
      report({ type: 'died', reason: `${launch.command} ${why}. Its last output:\n${output()}` })
      end(1)
    })
  })
}

async function runToEnd (command: string, args: string[], account: Account | null): Promise<void> {
  stopping.signal.throwIfAborted()
  const { child, output } = spawnChild(command, args, account)
  const kill = () => child.kill('SIGKILL')
  stopping.signal.addEventListener('abort', kill)
  child.stdin?.end()
  await new Promise<void>((resolve, reject) => {
    const failed = (why: string) => reject(new ReplayError('GEORDI_LOCAL_START_FAILED', `${command} ${why}. Its last output:\n${output()}`))
    child.once('error', error => failed(`can't be started (${error.message})`))
    child.once('close', (code, signal) => code === 0 ? resolve() : failed(`failed (${signal ?? `exit code ${code}`})`))
  })
  stopping.signal.removeEventListener('abort', kill)
}

/** Starts a program, and keeps the end of what it prints. */
function spawnChild (command: string, args: string[], account: Account | null): { child: ChildProcess, output: () => string } {
  const as = account ? { uid: account.uid, gid: account.gid } : {}
  const child = spawn(command, args, { ...as, cwd: '/', env: serverEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] })
  let kept = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => { kept = (kept + text).slice(-4_000) })
  }
  return { child, output: () => kept.trim() }
}
