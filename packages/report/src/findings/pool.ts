import type { Waits } from '@geordi/profile'
import { formatCount, formatTime, timesUpTo } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import type { Tally } from '../waits/tallies.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { POOL } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Drivers open connections as they need them; that is no lack of them. */
const OPENING = 'new connection'

/** Waiting for one of a pool's connections to become free. */
export function findPoolWaits (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  const found = recorded.tallies.filter(({ kind, statement, wall: time }) => kind === 'pool' && statement !== OPENING && isWorthTelling(look, time, POOL))
  return found.map(tally => {
    const { target, count, total, max, wall: time, site } = tally
    const connections = sizeOf(recorded.waits, tally)
    return {
      cause: 'pool' as const,
      title: `Waits for a free connection ${timesUpTo(count, max)}`,
      subject: target,
      evidence: [...count > 1 ? [`${formatTime(total)} in all, each in full where several wait at once`] : [], `${nameOf(connections)} in use`],
      numbers: { count, total, max, ...connections !== undefined && { connections } },
      places: callers(profile, recorded, site),
      time,
      share: time / wall,
      advice: 'Use fewer connections at a time here, give them back sooner, or make the pool larger.'
    }
  })
}

/** How many connections the pool has, if it is the same of all. */
function sizeOf ({ operations, operation }: Waits, { waits }: Tally): number | undefined {
  const sizes = new Set(waits.map(wait => operations[operation[wait] as number]?.connections))
  return sizes.size === 1 ? sizes.values().next().value : undefined
}

function nameOf (connections: number | undefined): string {
  if (connections === undefined) return 'all connections of the pool were'
  if (connections <= 2) return connections === 1 ? 'the pool\'s only connection was' : 'both connections of the pool were'
  return `all ${formatCount(connections)} connections of the pool were`
}
