import { WAIT_OUTCOMES, type WaitLock } from '@geordi/profile'
import { formatCount, formatTime } from '../numbers.ts'
import { blockingTime, type Look, type RecordedLook } from '../waits/look.ts'
import { longestOf, openTime } from '../waits/counts.ts'
import { statementOf, type Tally } from '../waits/tallies.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { isAtOnce, isRepeatedQuestion, isRepeatedWork } from './repeated-work.ts'
import { isWaiting, verbOf } from './statements.ts'
import { LOCK, SLOW_OPERATION } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

const TITLES: Readonly<Record<string, string>> = {
  sql: 'One slow statement',
  document: 'One slow query',
  cache: 'One slow command of the cache',
  http: 'Another service takes long to answer',
  network: 'Another server takes long to answer',
  process: 'A child process takes long',
  worker: 'Work in another thread takes long',
  threadpool: 'One piece of work for the thread pool takes long',
  file: 'One operation on a file takes long',
  dns: 'A name takes long to look up',
  connect: 'A connection takes long to open'
}

const ADVICE: Readonly<Record<string, string>> = {
  sql: 'Look at its plan (EXPLAIN ANALYZE): it wants an index, fewer rows, or less work for each.',
  document: 'Look at its plan (explain): it wants an index, fewer documents, or less work for each.',
  cache: 'Ask for less at a time, or split what is kept under one key.',
  http: 'Profile that service; here a time limit, a cache, or asking earlier would help.',
  network: 'See what it does meanwhile; here a time limit, a cache, or asking earlier would help.',
  process: 'Do the work in this process, keep the other one running, or do it outside of the request.',
  threadpool: 'The hash of a password takes long on purpose; of anything else do less, keep what comes out, or do it outside of the request.',
  file: 'Read or write less of it, keep what was read, or pass it on as a stream.',
  dns: 'Ask a name server that is near, keep the addresses, or keep connections open.',
  connect: 'Keep connections open and use them again; see whether the server is far or busy.',
  worker: 'Profile what that thread does: it may do less, or its answer could be kept.'
}

/** Not every database is asked about locks, nor does every one tell. */
const CHANGE = 'See whether it waits for a lock of somebody else\'s; else look at its plan (EXPLAIN ANALYZE): it wants an index, fewer rows, or less work for each.'
/** Threads of a pool are few: what is handed over while all are busy waits until one is free, and nobody tells when that was. */
const QUEUED = 'Let fewer tasks wait for a thread at a time, give the pool more threads, or each task less to do.'
const SILENT = 'Whether it waited for a row lock, this server tells only users who have the right PROCESS'

/** A single operation that takes long by itself. */
export function findSlowOperations (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  return recorded.tallies.filter(({ kind, sync, max }) => (!sync || kind === 'sql') && kind in TITLES && max >= SLOW_OPERATION.time).flatMap(tally => {
    if (isWaiting(tally) || isRepeatedWork(look, recorded, tally) || isRepeatedQuestion(look, recorded, tally)) return []
    const { kind, statement, target, count, total, max, failed, site, values } = tally
    const { time, longest } = withoutLocks(recorded, tally)
    const slowest = tally.sync ? longest : max
    if (!isWorthTelling(look, time, SLOW_OPERATION)) return []
    const changes = kind === 'sql' && verbOf(statement) !== 'read'
    const isQueued = (kind === 'worker' || kind === 'threadpool') && isAtOnce(recorded, tally)
    return [{
      cause: 'slow-operation' as const,
      title: `${TITLES[kind]}: ${formatTime(longest)}`,
      subject: statementOf(tally),
      evidence: [
        count === 1 ? `asked once, ${endOf(recorded, tally)} after ${formatTime(tally.sync ? slowest : total)}` : `asked ${formatCount(count)} times, ${formatTime(total)} in all, the slowest ${formatTime(slowest)}`,
        ...count > 1 && failed > 0 ? [`${formatCount(failed)} of them failed`] : [],
        ...values === undefined ? [] : [`values of the slowest: ${values}`],
        ...longest < slowest ? [`for ${formatTime(longest)} of that it did not wait for a lock`] : [],
        ...isQueued ? [`some ${formatCount(Math.round(total / openTime(recorded.waits, tally.waits)))} at a time: a part of that is waiting for a free thread, where these are fewer`] : [],
        ...changes && recorded.waits.silent?.includes(target) ? [SILENT] : []
      ],
      numbers: { count, total, max: slowest, ...tally.sync && { running: time } },
      places: callers(profile, recorded, site),
      time,
      share: time / wall,
      advice: isQueued ? QUEUED : changes ? CHANGE : ADVICE[kind] as string
    }]
  })
}

/** Who gave up on it, or was told an error, has got no answer. */
function endOf ({ waits }: RecordedLook, { waits: [wait = -1] }: Tally): string {
  switch (WAIT_OUTCOMES[waits.outcome[wait] as number]) {
    case 'failed': return 'failed'
    case 'open': return 'not answered'
    default: return 'answered'
  }
}

/** The wall time of those that are slow by themselves and not because of a lock, and the longest one's own time. */
function withoutLocks (recorded: RecordedLook, tally: Tally): { time: number, longest: number } {
  const { waits, shares } = recorded
  const locks = new Map(waits.locks?.map(lock => [lock.wait, lock]))
  let [time, longest] = [0, 0]
  for (const wait of tally.waits) {
    const whole = tally.sync ? Math.min(longestOf(waits, wait), blockingTime(recorded, wait)) : longestOf(waits, wait)
    const lock = locks.get(wait)
    const own = lock === undefined ? whole : ownTime(whole, lock)
    if (own < SLOW_OPERATION.time) continue
    time += (tally.sync ? whole : shares[wait] as number) * own / whole
    longest = Math.max(longest, own)
  }
  return { time, longest }
}

/** Of a statement's time what is known to be its own: between two looks it may have waited all the while, or hardly. */
function ownTime (whole: number, { time, most = time >= LOCK.part * whole ? whole : 0 }: WaitLock): number {
  return whole - most
}
