import { createServer } from 'node:net'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { end } from './end-with-worker.ts'
import { keep, keepRegularly } from './keep.ts'
import { KEEP_SOCKET } from './messages.ts'

const POLL = 1000

const { folder, parent } = workerData as { folder: string, parent: number }
// It keeps this thread awake, too, for answers that come only when the main thread gets to them.
setInterval(() => {
  // An orphan gets another parent.
  if (process.ppid !== parent) end(folder)
}, POLL)

// A connection is the order.
createServer(socket => {
  socket.on('error', () => {})
  keep().then(answer => socket.end(JSON.stringify(answer)))
}).listen(join(folder, KEEP_SOCKET))

// The main thread says when the recording has begun.
parentPort!.on('message', () => { keepRegularly() })
