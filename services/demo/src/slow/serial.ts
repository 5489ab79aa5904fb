import { tenths } from '../stopwatch.ts'
import * as dashboard from './dashboard.ts'
import type { Database } from '../database.ts'

/** Loads the sections of the dashboard, each one only when the one before it is there. None needs another. */
export async function loadDashboardOneByOne (database: Database) {
  const laps = [performance.now()]
  const lap = () => { laps.push(performance.now()) }
  const words = await dashboard.listWords(database)
  lap()
  const letters = await dashboard.countLetters(database)
  lap()
  const longestLines = await dashboard.findLongestLines(database)
  lap()
  const sharedLines = await dashboard.findSharedLines(database)
  lap()
  const numbers = await dashboard.averageNumbers(database)
  lap()
  const functions = await dashboard.listFunctions(database)
  lap()
  const indentation = await dashboard.countIndentation(database)
  lap()
  const fingerprints = await dashboard.countFingerprints(database)
  lap()
  const waits = laps.slice(1).map((end, index) => end - (laps[index] ?? end))
  return {
    awaits: waits.length,
    rows: words + letters + longestLines + sharedLines + numbers + functions + indentation + fingerprints,
    waited: tenths(waits.reduce((sum, wait) => sum + wait, 0)),
    longestWait: tenths(Math.max(...waits))
  }
}
