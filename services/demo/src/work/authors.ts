import { Stopwatch } from '../stopwatch.ts'
import { listCommitIds } from '../store.ts'
import type { Database } from '../database.ts'

/** Commits by author, the busiest first. */
export interface AuthorCount { author: string, commits: number }

/**
 * Counts the authors of `n` commits, with one query for each commit: the «N+1» that every code base has somewhere.
 * Commits come round again if there are fewer.
 */
export async function countAuthorsOneByOne (database: Database, n: number) {
  const ids = await listCommitIds(database, n)
  const counts = new Map<string, number>()
  const waiting = new Stopwatch()
  let queries = 0
  for (; queries < n && ids.length > 0; queries++) {
    waiting.start()
    const author = await loadAuthor(database, ids[queries % ids.length] as string)
    waiting.stop()
    counts.set(author, (counts.get(author) ?? 0) + 1)
  }
  const authors: AuthorCount[] = [...counts].map(([author, commits]) => ({ author, commits })).sort((a, b) => b.commits - a.commits)
  return { queries, authors, waited: waiting.milliseconds }
}

async function loadAuthor (database: Database, commitId: string): Promise<string> {
  const { rows } = await database.query<{ author: string }>('SELECT author FROM demo.commits WHERE id = $1', [commitId])
  return rows[0]?.author ?? 'unknown'
}
