import { since, tenths } from '../stopwatch.ts'
import { sections } from './dashboard.ts'
import type { Database } from '../database.ts'
import type { Section } from './dashboard.ts'

/** Loads all sections of the dashboard at once, through a pool that has fewer connections than there are sections. */
export async function loadDashboardAtOnce (pool: Database) {
  const waits = await Promise.all(sections.map(section => loadSection(pool, section)))
  return {
    sections: sections.length,
    connections: pool.options.max,
    waited: tenths(waits.reduce((sum, wait) => sum + wait, 0)),
    longestWait: Math.max(...waits)
  }
}

/** Gives how long it had to wait for a connection. */
async function loadSection (pool: Database, section: Section): Promise<number> {
  const asked = performance.now()
  const client = await pool.connect()
  const waited = since(asked)
  try {
    await section(client)
  } finally {
    client.release()
  }
  return waited
}
