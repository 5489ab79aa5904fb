/** A process of its own that sends requests nobody has flagged, so that what the measuring program does itself is not in their times. */
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two requests. */
const PACE = 4

const agent = new Agent({ keepAlive: true, maxSockets: 10 })

/** One request, in milliseconds. */
export interface Asked {
  /** When, since 1970. */
  readonly at: number
  /** How long its answer took. */
  readonly took: number
}

process.on('message', ({ url, milliseconds }: { url: string, milliseconds: number }) => {
  traffic(url, milliseconds).then(all => process.send!(all))
})

/** One request each 4 ms, for so many milliseconds. */
async function traffic (url: string, milliseconds: number): Promise<Asked[]> {
  const all: Asked[] = []
  const pending: Array<Promise<void>> = []
  for (const end = performance.now() + milliseconds; performance.now() < end; await delay(PACE)) {
    pending.push(new Promise((resolve, reject) => {
      const start = performance.now()
      get(url, { agent }, response => {
        response.resume().on('end', () => {
          all.push({ at: performance.timeOrigin + start, took: performance.now() - start })
          resolve()
        })
      }).on('error', reject)
    }))
  }
  await Promise.all(pending)
  return all
}
