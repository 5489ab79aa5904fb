import { Mutex } from 'async-mutex'
import { since, tenths } from '../stopwatch.ts'
import { sections } from './dashboard.ts'
import type { Database } from '../database.ts'
import type { Section } from './dashboard.ts'

/** One for all requests of this process, as such a thing is: «only one section at a time, the database is weak». */
const turn = new Mutex()

/** Loads all sections of the dashboard at once, but each one takes the same lock first. */
export async function loadDashboardInTurns (database: Database) {
  const waits = await Promise.all(sections.map(section => loadInTurn(database, section)))
  return { sections: sections.length, waited: tenths(waits.reduce((sum, wait) => sum + wait, 0)), longestWait: Math.max(...waits) }
}

/** Gives how long it had to wait for its turn. */
async function loadInTurn (database: Database, section: Section): Promise<number> {
  const asked = performance.now()
  const release = await turn.acquire()
  const waited = since(asked)
  try {
    await section(database)
  } finally {
    release()
  }
  return waited
}
