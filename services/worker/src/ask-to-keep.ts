import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { KEEP_SOCKET, type KeepAnswer } from './child/messages.ts'

/**
 * Has a replay process write what was recorded until now, whatever its main thread does.
 * @param limit Milliseconds that it has; in some calls (`JSON.parse`, a blocking read) V8 can't be interrupted.
 */
export async function askToKeep (folder: string, limit: number): Promise<KeepAnswer> {
  const socket = connect(join(folder, KEEP_SOCKET))
  try {
    return await Promise.race([
      text(socket).then(answer => JSON.parse(answer) as KeepAnswer),
      delay(limit, { kept: false, message: `its thread is in a call that can't be interrupted, for ${limit / 1000} s at least` }, { ref: false })
    ])
  } catch (error) {
    // The process has ended meanwhile.
    return { kept: false, message: (error as Error).message }
  } finally {
    socket.destroy()
  }
}
