import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { KEEP_SOCKET } from './child/messages.ts'
import { REPLAY_FOLDER, temporaryFolder } from './replay-folder.ts'

/** Milliseconds between two looks for what dead workers' replay processes have left. */
const INTERVAL = 600_000
/** Milliseconds after which a folder in which nothing changes is no process's that only starts. */
const OLD = 60_000
/** Milliseconds of a tick, in which Linux tells a process's start on every machine. */
const TICK = 10

/**
 * Sweeps now and then again and again: what is too young now is not at a later time.
 * @returns ends it
 */
export function keepSwept (interval = INTERVAL): () => void {
  const look = () => { sweep().catch(() => {}) }
  look()
  const timer = setInterval(look, interval)
  return () => clearInterval(timer)
}

/**
 * Removes what replay processes of this account have left that were killed together with their worker. Their worker is none of
 * this machine's processes any more, and nobody listens on their socket: a worker in another container can share the folder, but
 * not the process ids.
 * @param now In milliseconds since 1970.
 */
export async function sweep (now = Date.now()): Promise<void> {
  const parent = temporaryFolder()
  for (const name of await readdir(parent).catch(() => [])) {
    const worker = REPLAY_FOLDER.exec(name)?.[1]
    if (worker === undefined) continue
    const folder = join(parent, name)
    const changedAt = await lastChange(folder)
    if (changedAt === undefined || now - changedAt <= OLD || await wasProcess(Number(worker), changedAt)) continue
    if (!await isListening(join(folder, KEEP_SOCKET))) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

/** Whether the process that has this id now can have been there at that time; one that began later has the id of one that has ended. */
async function wasProcess (pid: number, time: number): Promise<boolean> {
  if (!isProcess(pid)) return false
  const [ticks, own] = await Promise.all([startTicks(pid), startTicks('self')])
  // By this process's own start: neither the clock nor what a container calls its machine's start matters then.
  return !(performance.timeOrigin + (ticks - own) * TICK > time + TICK)
}

function isProcess (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process began, in ticks of the machine; NaN where that can't be known. */
async function startTicks (process: number | 'self'): Promise<number> {
  const stat = await readFile(`/proc/${process}/stat`, 'utf8').catch(() => '')
  // The second field is the program's name, which can hold anything; this is the twenty-second.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
}

/** In milliseconds since 1970; undefined where it is no folder of ours. */
async function lastChange (folder: string): Promise<number | undefined> {
  const found = await lstat(folder).catch(() => undefined)
  return found?.isDirectory() === true && found.uid === process.getuid?.() ? found.mtimeMs : undefined
}

async function isListening (socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(socketPath)
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
}
