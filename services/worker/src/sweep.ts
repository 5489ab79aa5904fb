import { lstat, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { KEEP_SOCKET } from './child/messages.ts'
import { REPLAY_FOLDER, temporaryFolder } from './replay-folder.ts'

/** Milliseconds after which a folder in which nothing changes is no process's that only starts. */
const OLD = 60_000

/**
 * Removes what replay processes of this account have left that were killed together with their worker. Their worker is none of
 * this machine's processes any more, and nobody listens on their socket: a worker in another container can share the folder, but
 * not the process ids.
 */
export async function sweep (): Promise<void> {
  const parent = temporaryFolder()
  for (const name of await readdir(parent).catch(() => [])) {
    const worker = REPLAY_FOLDER.exec(name)?.[1]
    if (worker === undefined || isProcess(Number(worker))) continue
    const folder = join(parent, name)
    if (await isOld(folder) && !await isListening(join(folder, KEEP_SOCKET))) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

function isProcess (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function isOld (folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined)
  return found?.isDirectory() === true && found.uid === process.getuid?.() && Date.now() - found.mtimeMs > OLD
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
