import { setImmediate as nextTurn } from 'node:timers/promises'
import { annotateUntil } from '../work/burn.ts'
import { since } from '../stopwatch.ts'
import type { FileRow } from '../store.ts'

/** CPU milliseconds after which others get their turn. */
const slice = 20

/** Annotates files for so many seconds, in slices, so that the process answers others meanwhile. Ends early when nobody waits for it any more. */
export async function annotateForSeconds (files: readonly FileRow[], seconds: number, signal: AbortSignal) {
  const started = performance.now()
  let [slices, annotated, working] = [0, 0, 0]
  while (!signal.aborted && since(started) < seconds * 1000) {
    const { files: more, cpuMs } = annotateUntil(files, slice)
    slices++
    annotated += more
    working += cpuMs
    await nextTurn()
  }
  return { seconds: Math.round(since(started)) / 1000, slices, files: annotated, working }
}
