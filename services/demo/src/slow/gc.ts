import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { tenths } from '../stopwatch.ts'
import type { PerformanceEntry } from 'node:perf_hooks'
import type { FileRow } from '../store.ts'

/** Takes a keystroke back: how long the text is then, and how to take back the one before. */
type Undo = () => { length: number, before: Undo | null }

/**
 * Types the files as an editor would, with an undo step for each key, again and again; all steps of a round live until
 * the next round's are there. Closures, because V8 learns to put objects that live on where the young collections don't see them.
 */
export async function typeFiles (files: readonly FileRow[], rounds: number) {
  const collections: number[] = []
  const note = (entries: readonly PerformanceEntry[]) => { for (const { duration } of entries) collections.push(duration) }
  const observer = new PerformanceObserver(list => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  let keystrokes = 0
  let histories: Array<Undo | null> = []
  for (let round = 0; round < rounds; round++) {
    histories = files.map(typeFile)
    for (const undo of histories) keystrokes += undo === null ? 0 : undo().length + 1
    // What the collector did is told between two turns of the event loop.
    await nextTurn()
  }
  note(observer.takeRecords())
  observer.disconnect()
  return { rounds, keystrokes, collections: collections.length, collecting: tenths(collections.reduce((sum, time) => sum + time, 0)) }
}

function typeFile ({ content }: FileRow): Undo | null {
  let last: Undo | null = null
  for (let length = 0; length < content.length; length++) {
    const before: Undo | null = last
    last = () => ({ length, before })
  }
  return last
}
