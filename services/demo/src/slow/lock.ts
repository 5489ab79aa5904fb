import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Stopwatch, tenths } from '../stopwatch.ts'
import type { Database } from '../database.ts'
import type { LockOrder, LockReleased } from './lock-holder.ts'

const repository = 'duty-roster'

/** Changes a repository while somebody else's transaction has its row locked, and works on. */
export async function updateLockedRepository (database: Database, databaseUrl: string, commits: number) {
  const order: LockOrder = { databaseUrl, repository, commits }
  // A thread, so that what it does is not this request's. No flags of this process: the preload module of a replay is among them.
  const holder = new Worker(new URL('./lock-holder.js', import.meta.url), { workerData: order, execArgv: [] })
  const messages = on(holder, 'message')
  try {
    await messages.next() // locked
    const { updated, waited } = await touchRepository(database)
    const { value: [released] } = await messages.next() as { value: [LockReleased] }
    return { locks: 1, updated, pairs: released.pairs, held: tenths(released.held), waited }
  } finally {
    await holder.terminate()
  }
}

async function touchRepository (database: Database) {
  const waiting = new Stopwatch()
  waiting.start()
  const { rowCount } = await database.query('UPDATE demo.repositories SET description = description WHERE name = $1', [repository])
  waiting.stop()
  return { updated: rowCount ?? 0, waited: waiting.milliseconds }
}
