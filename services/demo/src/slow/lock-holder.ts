/**
 * A thread that stands for somebody else, a nightly job for instance: it locks a repository's row, works in the same
 * transaction, and lets go when the work is done. Tells its parent of both.
 */
import { parentPort, workerData } from 'node:worker_threads'
import pg from 'pg'
import { compareMessages, countPairs } from './similarity.ts'

/** What the thread is given. */
export interface LockOrder { databaseUrl: string, repository: string, commits: number }

/** What it says last: it has let go, after so many milliseconds. Its first message says only that it holds the lock. */
export interface LockReleased { held: number, pairs: number }

const { databaseUrl, repository, commits } = workerData as LockOrder

const client = new pg.Client({ connectionString: databaseUrl, application_name: 'geordi-demo-nightly-job' })
await client.connect()
let released: LockReleased
try {
  await client.query('BEGIN')
  await client.query('SELECT FROM demo.repositories WHERE name = $1 FOR UPDATE', [repository])
  const locked = performance.now()
  parentPort?.postMessage('locked')
  const pairs = countPairs(await compareMessages(client, commits))
  await client.query('COMMIT')
  released = { held: performance.now() - locked, pairs }
} finally {
  // Without a COMMIT, this rolls back.
  await client.end()
}
// Last: whoever hears it ends this thread.
parentPort?.postMessage(released)
