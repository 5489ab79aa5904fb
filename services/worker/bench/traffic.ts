/** A process of its own that sends requests nobody has flagged, so that what the measuring program does itself is not in their times. */
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two requests. */
const PACE = 4

const agent = new Agent({ keepAlive: true, maxSockets: 10 })

process.on('message', ({ url, milliseconds }: { url: string, milliseconds: number }) => {
  traffic(url, milliseconds).then(latencies => process.send!(latencies))
})

/** One request each 4 ms, for so many milliseconds. @returns their latencies in milliseconds */
async function traffic (url: string, milliseconds: number): Promise<number[]> {
  const latencies: number[] = []
  const pending: Array<Promise<void>> = []
  for (const end = performance.now() + milliseconds; performance.now() < end; await delay(PACE)) {
    pending.push(new Promise((resolve, reject) => {
      const start = performance.now()
      get(url, { agent }, response => {
        response.resume().on('end', () => {
          latencies.push(performance.now() - start)
          resolve()
        })
      }).on('error', reject)
    }))
  }
  await Promise.all(pending)
  return latencies
}
