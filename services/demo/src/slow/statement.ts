import { Stopwatch } from '../stopwatch.ts'
import { compareMessages, countPairs } from './similarity.ts'
import type { Database } from '../database.ts'

/** Whose messages are the most alike: one statement that PostgreSQL works on for long. */
export async function findSimilarAuthors (database: Database, commits: number) {
  const waiting = new Stopwatch()
  waiting.start()
  const authors = await compareMessages(database, commits)
  waiting.stop()
  return { statements: 1, pairs: countPairs(authors), rows: authors.length, mostAlike: authors[0] ?? null, waited: waiting.milliseconds }
}
