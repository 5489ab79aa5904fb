import { formatTime, formatTimes } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { POOL } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Drivers open connections as they need them; that is no lack of them. */
const OPENING = 'new connection'

/** Waiting for one of a pool's connections to become free. */
export function findPoolWaits (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  const found = recorded?.tallies.filter(({ kind, statement, wall: time }) => kind === 'pool' && statement !== OPENING && isWorthTelling(look, time, POOL)) ?? []
  return found.map(({ target, count, total, max, wall: time, site }) => ({
    cause: 'pool' as const,
    title: `Waits for a free connection ${formatTimes(count)}: ${formatTime(time)}`,
    subject: target,
    evidence: [`${formatTime(total)} in all, at the most ${formatTime(max)}; all connections of the pool were in use`],
    numbers: { count, total, max },
    places: recorded === undefined ? [] : callers(profile, recorded, site),
    time,
    share: time / wall,
    advice: 'Use fewer connections at a time here, give them back sooner, or make the pool larger.'
  }))
}
