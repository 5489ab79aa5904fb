/** A thread that stands for somebody else, a collector of logs for instance: it takes all that it is sent. Tells its parent the port, and at last how much came. */
import { createServer } from 'node:net'
import { parentPort } from 'node:worker_threads'

const server = createServer(socket => {
  let bytes = 0
  socket.on('data', data => { bytes += data.length })
  socket.on('end', () => {
    socket.end()
    parentPort?.postMessage(bytes)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') parentPort?.postMessage(address?.port)
})
