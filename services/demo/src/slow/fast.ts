import type { Database } from '../database.ts'

/** One question that an index answers. */
export async function findLatestCommit (database: Database) {
  const { rows } = await database.query<{ message: string }>(
    'SELECT message FROM demo.commits WHERE repository_id = 1 ORDER BY committed_at DESC, id LIMIT 1')
  return { queries: 1, message: rows[0]?.message ?? null }
}
