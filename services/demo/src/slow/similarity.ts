import type { Queryable } from '../database.ts'

/** Two authors, and how many words their commits' messages share. */
export interface AuthorPair { author: string, other: string, pairs: number, shared: number }

/** Every commit with every other one: PostgreSQL has no index that would help. The order needs them all, too. */
const similarAuthors = `
  WITH latest AS (
    SELECT id, author, string_to_array(lower(message), ' ') AS words
    FROM demo.commits ORDER BY committed_at DESC, id LIMIT $1
  )
  SELECT a.author, b.author AS other, count(*)::int AS pairs,
    sum(cardinality(ARRAY(SELECT unnest(a.words) INTERSECT SELECT unnest(b.words))))::int AS shared
  FROM latest a JOIN latest b ON a.author < b.author
  GROUP BY a.author, b.author
  ORDER BY shared DESC, pairs, a.author, b.author`

/** Compares the messages of the latest commits, each with each: the work grows with the square of their number. */
export async function compareMessages (database: Queryable, commits: number): Promise<AuthorPair[]> {
  const { rows } = await database.query<AuthorPair>(similarAuthors, [commits])
  return rows
}

/** How many pairs of commits were compared. */
export function countPairs (authors: readonly AuthorPair[]): number {
  return authors.reduce((sum, { pairs }) => sum + pairs, 0)
}
