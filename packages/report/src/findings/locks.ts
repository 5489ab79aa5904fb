import type { LockKind, WaitLock, Waits } from '@geordi/profile'
import { formatCount, formatTime, timesUpTo } from '../numbers.ts'
import { groupBy } from '../sums.ts'
import type { Look } from '../waits/look.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { LOCK } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

const NAMES: Readonly<Record<LockKind, string>> = { row: 'a row lock', table: 'a table lock', advisory: 'an advisory lock', other: 'a lock' }

/** Statements that waited for somebody else's lock: the database itself said so. */
export function findDatabaseLocks (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  const { waits, shares, places } = recorded ?? {}
  if (recorded === undefined || waits === undefined || shares === undefined || places === undefined) return []
  const groups = groupBy(waits.locks ?? [], ({ wait, kind }) => `${kind} ${waits.operation[wait]} ${places.id(places.own(waits.site[wait] as number))}`)
  return Array.from(groups.values()).flatMap(locks => {
    const duration = ({ wait }: WaitLock) => (waits.end[wait] as number) - (waits.start[wait] as number)
    const time = locks.reduce((sum, lock) => sum + (shares[lock.wait] as number) * Math.min(1, lock.time / duration(lock)), 0)
    if (!isWorthTelling(look, time, LOCK)) return []
    const { wait, kind, holder } = locks.reduce((longest, lock) => lock.time > longest.time ? lock : longest)
    const { statement } = waits.operations[waits.operation[wait] as number] as Waits['operations'][number]
    const total = locks.reduce((sum, lock) => sum + duration(lock), 0)
    const locked = locks.reduce((sum, lock) => sum + lock.time, 0)
    const times = locks.length === 1 ? '' : ` ${formatCount(locks.length)} times`
    return [{
      cause: 'database-lock' as const,
      title: `Waits for ${NAMES[kind]} of another transaction${times}: ${formatTime(locked)}`,
      subject: statement,
      evidence: [
        `the database said so while the statement ran: of its ${formatTime(total)} at least ${formatTime(locked)}`,
        ...holder === '' ? [] : [`held by ${holder}`]
      ],
      numbers: { count: locks.length, total, locked },
      places: callers(profile, recorded, waits.site[wait] as number),
      time,
      share: time / wall,
      advice: kind === 'advisory'
        ? 'Hold that lock for a shorter time, or don\'t wait for it (pg_try_advisory_lock, or get_lock with a timeout of 0), or work through a queue.'
        : 'Make the other transaction shorter: do its slow work before it locks, and commit sooner; or set a limit here (lock_timeout, or innodb_lock_wait_timeout).'
    }]
  })
}

/** Mutexes and semaphores of the application's own. */
export function findMutexes (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  return recorded?.tallies.filter(({ kind, sync, wall: time }) => kind === 'lock' && !sync && isWorthTelling(look, time, LOCK)).map(({ count, total, max, wall: time, site }) => ({
    cause: 'mutex' as const,
    title: `Waits for a lock of its own process ${timesUpTo(count, max)}`,
    subject: '',
    evidence: count > 1 ? [`${formatTime(total)} in all, each in full where several wait at once`] : ['others held it meanwhile'],
    numbers: { count, total, max },
    places: callers(profile, recorded, site),
    time,
    share: time / wall,
    advice: 'Do less while the lock is held, or give each thing that it protects a lock of its own.'
  })) ?? []
}
