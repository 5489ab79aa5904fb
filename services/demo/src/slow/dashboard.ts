/** A page of eight sections, each with a statement of its own that has nothing to do with the others and takes a while. */
import type { Queryable } from '../database.ts'

/** Answers how many rows its section has. */
export type Section = (database: Queryable) => Promise<number>

export async function listWords (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT lower(match[1]) AS word, count(*) AS times
    FROM demo.files JOIN demo.repositories r ON r.id = repository_id, regexp_matches(content, '([[:alpha:]]+)', 'g') AS match
    WHERE r.language = 'JavaScript' GROUP BY word ORDER BY times DESC, word LIMIT 10`)
  return rows.length
}

export async function countLetters (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT letter, count(*) AS times
    FROM demo.files JOIN demo.repositories r ON r.id = repository_id, string_to_table(content, NULL) AS letter
    WHERE r.name = 'holodeck' AND letter ~ '[[:alpha:]]' GROUP BY letter ORDER BY times DESC, letter`)
  return rows.length
}

export async function findLongestLines (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT line, length(line) AS length FROM demo.files, regexp_split_to_table(content, E'\\n') AS line
    ORDER BY length DESC, line LIMIT 10`)
  return rows.length
}

export async function findSharedLines (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT line, count(DISTINCT repository_id) AS repositories FROM demo.files, string_to_table(content, E'\\n') AS line
    WHERE line <> '' GROUP BY line ORDER BY repositories DESC, line LIMIT 10`)
  return rows.length
}

export async function averageNumbers (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT avg(match[1]::numeric) AS average, max(match[1]::numeric) AS largest
    FROM demo.files, regexp_matches(content, '([0-9]+)', 'g') AS match`)
  return rows.length
}

export async function listFunctions (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT match[1] AS name, count(*) AS times FROM demo.files, regexp_matches(content, 'function ([[:alnum:]]+) \\(([^)]*)\\)', 'g') AS match
    GROUP BY name ORDER BY times DESC, name LIMIT 10`)
  return rows.length
}

export async function countIndentation (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT length(substring(line FROM '^ *')) AS indentation, count(*) AS lines
    FROM demo.files, string_to_table(content, E'\\n') AS line GROUP BY indentation ORDER BY lines DESC`)
  return rows.length
}

export async function countFingerprints (database: Queryable): Promise<number> {
  const { rows } = await database.query(`
    SELECT left(md5(upper(content) || round), 1) AS first, count(*) AS files
    FROM demo.files, generate_series(1, 4) AS round GROUP BY first ORDER BY first`)
  return rows.length
}

export const sections: readonly Section[] = [
  listWords, countLetters, findLongestLines, findSharedLines, averageNumbers, listFunctions, countIndentation, countFingerprints
]
