import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { sendRequest } from '../src/send-request.ts'
import { temporary } from './support.ts'

/** In a thread: what happens between two looks of the sender's at its socket is what matters. Each time it has read a bit more. */
const HASTY = `
  const { parentPort, workerData } = require('node:worker_threads')
  let count = 0
  require('node:net').createServer(socket => {
    let rest = (count++ % 40) * 65_536
    socket.on('error', () => {})
    socket.on('data', chunk => {
      rest -= chunk.length
      if (rest > 0) return
      socket.pause()
      socket.write('HTTP/1.1 413 Too Large\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nno', () => socket.destroy())
    })
  }).listen(workerData, () => parentPort.postMessage('listening'))`

it('an answer counts, at whatever moment the app breaks the sending of the body off', async t => {
  const socketPath = join(temporary, 'hasty.sock')
  const server = new Worker(HASTY, { eval: true, workerData: socketPath })
  t.after(() => server.terminate())
  await once(server, 'message')
  const body = Buffer.alloc(4_000_000, 'x')
  const request = { method: 'POST', url: '/', httpVersion: '1.1', rawHeaders: ['Host', 'x', 'Content-Length', String(body.length)], body, connection: { encrypted: false }, capturedAt: 0 }
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await sendRequest(request, { socketPath, protocol: 'http', signal: new AbortController().signal })
    assert.deepEqual([answer.statusCode, answer.bytes], [413, 2])
  }
})
