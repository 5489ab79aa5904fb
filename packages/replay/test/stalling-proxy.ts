import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands in front of a server and, when told, holds back all that is said to it, as a server that hangs. */
export async function stallingProxy (url: string) {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let stalled = false
  const proxy = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
    if (stalled) client.unpipe().pause()
    sockets.add(client).add(upstream)
    clients.set(client, upstream)
  })
  const clients = new Map<Socket, Socket>()
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const own = new URL(url)
  own.port = String((proxy.address() as AddressInfo).port)
  return {
    url: own.href,
    stall () {
      stalled = true
      for (const client of clients.keys()) client.unpipe().pause()
    },
    release () {
      stalled = false
      for (const [client, upstream] of clients) if (!client.destroyed) client.pipe(upstream)
    },
    async close () {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => proxy.close(resolve))
    }
  }
}
