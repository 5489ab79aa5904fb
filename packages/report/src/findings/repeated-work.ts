import type { WaitKind, Waits } from '@geordi/profile'
import { countOf, longestOf, medianOf, openTime } from '../waits/counts.ts'
import { elapsed, type Look, type RecordedLook } from '../waits/look.ts'
import type { Tally } from '../waits/tallies.ts'
import { isPolling } from './identical.ts'
import { isAround, isLimited, isOfMany, isOfOne } from './statements.ts'
import { N_PLUS_ONE, REPEATED, SLOW_OPERATION, TINY } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Work that others do than the thread. Files aren't among it: one that is read in pieces is read as it should be. */
export const WORK_NAMES = {
  threadpool: 'The same work for the thread pool', process: 'A child process is started', worker: 'A worker thread is asked', dns: 'A name is looked up', connect: 'A connection is opened'
}

export const WORK_ADVICE: Readonly<Record<keyof typeof WORK_NAMES, string>> = {
  threadpool: 'If none needs another\'s result, start some at a time (the pool has four threads, or UV_THREADPOOL_SIZE); or do less of it, and keep what comes out.',
  process: 'Start some at a time if none needs another\'s result, or keep one process running.',
  worker: 'Hand over many at a time, or to several threads.',
  dns: 'Keep connections open, or keep the addresses.',
  connect: 'Keep connections open and use them again.'
}

export function isWork (kind: WaitKind): kind is keyof typeof WORK_NAMES {
  return kind in WORK_NAMES
}

/** Whether it is worth telling that such work is done once after the other. A stream's pieces belong together. */
export function isRepeatedWork (look: Look, recorded: RecordedLook, tally: Tally): boolean {
  return isWork(tally.kind) && !tally.statement.startsWith('stream ') && isLongInAll(look, recorded, tally)
}

/** Of a service it isn't known how much each answer has: pages that lead from one to the next, or parts of something large, look the same. */
const QUESTIONS: ReadonlySet<WaitKind> = new Set<WaitKind>(['sql', 'document'])

/** The same of questions that are too few for others to be a loop. Who asks until something is done has to, and a lock is told as one. */
export function isRepeatedQuestion (look: Look, recorded: RecordedLook, tally: Tally): boolean {
  const { waits } = recorded
  const { kind, count, waits: members } = tally
  return QUESTIONS.has(kind) && count < N_PLUS_ONE.count && !isAround(tally) && isLongInAll(look, recorded, tally) && !isBatched(waits, members) && !isPolling(waits, members) &&
    waits.locks?.some(({ wait }) => members.includes(wait)) !== true
}

/** What is slow each time, or tiny, is told as that. */
function isLongInAll (look: Look, recorded: RecordedLook, tally: Tally): boolean {
  const { sync, count, median, total, waits: members } = tally
  return !sync && count >= REPEATED.count && median > TINY.time && median < SLOW_OPERATION.time && median * count >= REPEATED.alike * total &&
    !isAtOnce(recorded, tally) && isWorthTelling(look, elapsed(recorded, members), REPEATED)
}

/** Whether there are several at a time, on the average. */
export function isAtOnce ({ waits }: RecordedLook, { total, waits: members }: Tally): boolean {
  return total >= REPEATED.atOnce * openTime(waits, members)
}

/** Many keys or rows at a time are what somebody has thought of, unless the rows are all that one thing has. */
export function isBatched (waits: Waits, members: readonly number[]): boolean {
  const operation = waits.operations[waits.operation[members[0] as number] as number] as Waits['operations'][number]
  if (isOfMany(operation)) return true
  const most = isOfOne(operation) && (!isLimited(operation) || areOthers(waits, members)) ? N_PLUS_ONE.listRows : N_PLUS_ONE.batchRows
  return medianOf(waits, members, wait => (waits.rows[wait] as number) / countOf(waits, wait)) >= most
}

/** Whether most of them are known to have other values than those before. */
function areOthers ({ same }: Waits, members: readonly number[]): boolean {
  return new Set(members.map(wait => same[wait]).filter(value => value !== 0)).size > members.length / 2
}

/** Those of many that don't take far longer than the others: what does is told as slow, or as held up. */
export function withoutOutliers (waits: Waits, members: readonly number[], median: number): readonly number[] {
  const least = Math.max(SLOW_OPERATION.time, SLOW_OPERATION.outlier * median)
  return members.some(wait => longestOf(waits, wait) >= least) ? members.filter(wait => longestOf(waits, wait) < least) : members
}
