import type { WaitKind } from '@geordi/profile'
import { openTime } from '../waits/counts.ts'
import { elapsed, type Look, type RecordedLook } from '../waits/look.ts'
import type { Tally } from '../waits/tallies.ts'
import { REPEATED, SLOW_OPERATION, TINY } from './thresholds.ts'
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

/** Whether it is worth telling that such work is done once after the other. What is slow each time, or tiny, is told as that; a stream's pieces belong together. */
export function isRepeatedWork (look: Look, recorded: RecordedLook, { kind, sync, statement, count, median, total, waits: members }: Tally): boolean {
  return isWork(kind) && !sync && !statement.startsWith('stream ') && count >= REPEATED.count &&
    median > TINY.time && median < SLOW_OPERATION.time && median * count >= REPEATED.alike * total &&
    total < REPEATED.atOnce * openTime(recorded.waits, members) && isWorthTelling(look, elapsed(recorded, members), REPEATED)
}
