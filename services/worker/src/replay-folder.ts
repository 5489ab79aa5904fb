import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KEEP_SOCKET } from './child/messages.ts'

/** A replay process's folder, with its worker's process id. */
export const REPLAY_FOLDER = /^geordi-replay-(\d+)-[\w-]{8}$/
/** The longest path that a unix socket can have everywhere, less the name of ours in it. */
const LONGEST = 103 - `/geordi-replay-${2 ** 22}-XXXXXXXX/${KEEP_SOCKET}`.length

/** Where the folders are. */
export function temporaryFolder (): string {
  return tmpdir().length > LONGEST ? '/tmp' : tmpdir()
}

/** A path for a replay process of this worker; nothing is there yet. */
export function newReplayFolder (): string {
  return join(temporaryFolder(), `geordi-replay-${process.pid}-${randomBytes(6).toString('base64url')}`)
}
