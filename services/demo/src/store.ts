import { randomBytes } from 'node:crypto'
import { transaction } from './database.ts'
import type { Database } from './database.ts'

export interface RepositorySummary {
  id: number
  name: string
  description: string
  language: string
  ship: string
  commits: number
  lastCommit: Date | null
}

export interface CommitRow { id: string, author: string, message: string, committedAt: Date, paths: string[] }

export interface FileRow { path: string, content: string }

export interface FileSummary { path: string, lines: number }

/** A commit as it is imported. */
export interface NewCommit { repository: string, author: string, message: string, committedAt?: string | undefined }

const commitColumns = 'id, author, message, committed_at AS "committedAt", paths'

const summary = `
  SELECT r.id, r.name, r.description, r.language, r.ship, count(c.id)::int AS commits, max(c.committed_at) AS "lastCommit"
  FROM demo.repositories r LEFT JOIN demo.commits c ON c.repository_id = r.id`

export async function listRepositories (database: Database): Promise<RepositorySummary[]> {
  const { rows } = await database.query<RepositorySummary>(`${summary} GROUP BY r.id ORDER BY "lastCommit" DESC NULLS LAST, r.name`)
  return rows
}

export async function findRepository (database: Database, name: string): Promise<RepositorySummary | null> {
  const { rows } = await database.query<RepositorySummary>(`${summary} WHERE r.name = $1 GROUP BY r.id`, [name])
  return rows[0] ?? null
}

export async function listCommits (database: Database, repositoryId: number, limit: number, offset: number): Promise<CommitRow[]> {
  const { rows } = await database.query<CommitRow>(
    `SELECT ${commitColumns} FROM demo.commits WHERE repository_id = $1 ORDER BY committed_at DESC, id LIMIT $2 OFFSET $3`,
    [repositoryId, limit, offset])
  return rows
}

export async function findCommit (database: Database, repositoryId: number, id: string): Promise<CommitRow | null> {
  const { rows } = await database.query<CommitRow>(
    `SELECT ${commitColumns} FROM demo.commits WHERE repository_id = $1 AND id = $2`, [repositoryId, id])
  return rows[0] ?? null
}

export async function listFiles (database: Database, repositoryId: number): Promise<FileSummary[]> {
  const { rows } = await database.query<FileSummary>(
    `SELECT path, array_length(string_to_array(content, E'\\n'), 1) AS lines
     FROM demo.files WHERE repository_id = $1 ORDER BY path`, [repositoryId])
  return rows
}

export async function findFile (database: Database, repositoryId: number, path: string): Promise<FileRow | null> {
  const { rows } = await database.query<FileRow>('SELECT path, content FROM demo.files WHERE repository_id = $1 AND path = $2', [repositoryId, path])
  return rows[0] ?? null
}

/** Some files with their text, the same ones every time. */
export async function loadFiles (database: Database, limit: number): Promise<FileRow[]> {
  const { rows } = await database.query<FileRow>('SELECT path, content FROM demo.files ORDER BY md5(path), repository_id LIMIT $1', [limit])
  return rows
}

/** The latest commits of all repositories. */
export async function listLatestCommits (database: Database, limit: number): Promise<CommitRow[]> {
  const { rows } = await database.query<CommitRow>(`SELECT ${commitColumns} FROM demo.commits ORDER BY committed_at DESC, id LIMIT $1`, [limit])
  return rows
}

/** The ids of the latest commits. */
export async function listCommitIds (database: Database, limit: number): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>('SELECT id FROM demo.commits ORDER BY committed_at DESC, id LIMIT $1', [limit])
  return rows.map(row => row.id)
}

/** A commit names a repository that doesn't exist; nothing was imported. */
class UnknownRepositoryError extends Error {
  override readonly name = 'UnknownRepositoryError'
  readonly code = 'DEMO_UNKNOWN_REPOSITORY'
  readonly statusCode = 400

  constructor (repository: string) {
    super(`There is no repository «${repository}»; nothing was imported.`)
  }
}

/** Inserts all the commits or, if one can't be, none. Gives their number. */
export async function insertCommits (database: Database, commits: readonly NewCommit[]): Promise<number> {
  return transaction(database, async client => {
    const { rows } = await client.query<{ id: number, name: string }>('SELECT id, name FROM demo.repositories')
    const idByName = new Map(rows.map(row => [row.name, row.id]))
    let imported = 0
    for (const commit of commits) {
      const repositoryId = idByName.get(commit.repository)
      if (repositoryId === undefined) throw new UnknownRepositoryError(commit.repository)
      const { rowCount } = await client.query(
        "INSERT INTO demo.commits (id, repository_id, author, message, committed_at, paths) VALUES ($1, $2, $3, $4, $5, '{}')",
        [randomBytes(20).toString('hex'), repositoryId, commit.author, commit.message, commit.committedAt ?? new Date()])
      imported += rowCount ?? 0
    }
    return imported
  })
}
