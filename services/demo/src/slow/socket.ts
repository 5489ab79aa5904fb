import { on, once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { Stopwatch } from '../stopwatch.ts'
import type { Socket } from 'node:net'

/** Sends lines to a collector of logs, each by itself as soon as the one before is gone. A few large writes would do. */
export async function sendLines (texts: readonly string[], lines: number) {
  // A thread, so that what it does is not this request's. No flags of this process: the preload module of a replay is among them.
  const collector = new Worker(new URL('./log-collector.js', import.meta.url), { execArgv: [] })
  const messages = on(collector, 'message')
  try {
    const { value: [port] } = await messages.next() as { value: [number] }
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const waiting = new Stopwatch()
    let bytes = 0
    for (let i = 0; i < lines; i++) {
      const line = `${texts[i % texts.length] ?? ''}\n`
      bytes += Buffer.byteLength(line)
      waiting.start()
      await new Promise<void>((resolve, reject) => sendLine(socket, line, error => error ? reject(error) : resolve()))
      waiting.stop()
    }
    socket.end()
    const { value: [received] } = await messages.next() as { value: [number] }
    return { lines, bytes, received, waited: waiting.milliseconds }
  } finally {
    await collector.terminate()
  }
}

/** Done when the system has taken it. */
function sendLine (socket: Socket, line: string, done: (error?: Error | null) => void): void {
  socket.write(line, done)
}
