import pg from 'pg'
import { seed } from './seed.ts'

export type Database = pg.Pool

/** The pool, or one connection. */
export interface Queryable {
  query<Row extends pg.QueryResultRow> (statement: string, values?: unknown[]): Promise<pg.QueryResult<Row>>
}

/** Held while the tables are made and filled: any number of processes may start at once. */
const setupLock = 1701

const schema = `
  CREATE SCHEMA IF NOT EXISTS demo;
  CREATE TABLE IF NOT EXISTS demo.repositories (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text NOT NULL,
    language text NOT NULL,
    ship text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS demo.commits (
    id text PRIMARY KEY,
    repository_id integer NOT NULL REFERENCES demo.repositories,
    author text NOT NULL,
    message text NOT NULL,
    committed_at timestamptz NOT NULL,
    paths text[] NOT NULL
  );
  CREATE INDEX IF NOT EXISTS commits_by_time ON demo.commits (repository_id, committed_at DESC, id);
  CREATE TABLE IF NOT EXISTS demo.files (
    repository_id integer NOT NULL REFERENCES demo.repositories,
    path text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (repository_id, path)
  );`

/**
 * A pool of connections to the demo's database. Nothing is connected yet. `onLost` hears of connections that break while
 * nobody uses them, also of one that is being closed; the pool opens others, up to `connections` at a time.
 */
export function connectDatabase (url: string, onLost: (error: Error) => void, connections = 5): Database {
  // One stays open: a request that comes after a while shouldn't be slow for that.
  const pool = new pg.Pool({ connectionString: url, min: 1, max: connections, connectionTimeoutMillis: 10_000, application_name: 'geordi-demo' })
  return pool.on('error', onLost)
}

/** Makes the tables and fills them, where that hasn't been done yet. All or nothing. */
export async function prepareDatabase (database: Database): Promise<void> {
  await transaction(database, async client => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [setupLock])
    await client.query(schema)
    const { rows } = await client.query<{ filled: boolean }>('SELECT EXISTS (SELECT FROM demo.repositories) AS filled')
    if (!rows[0]?.filled) await seed(client, new Date())
  })
}

/** Runs `work` in one transaction, which is rolled back if it throws. */
export async function transaction<T> (database: Database, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await database.connect()
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // A connection that can't even roll back must not go back into the pool.
    await client.query('ROLLBACK').catch((failure: Error) => { broken = failure })
    throw error
  } finally {
    client.release(broken)
  }
}
