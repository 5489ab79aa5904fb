import type { WaitKind } from '@geordi/profile'
import { formatBytes, formatCount, formatTime, formatTimes } from '../numbers.ts'
import { groupBy } from '../sums.ts'
import { elapsed, type Look } from '../waits/look.ts'
import { countSome, countOf, meanTimeOf, medianOf } from '../waits/counts.ts'
import type { Tally } from '../waits/tallies.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { byStatement } from './by-statement.ts'
import { TINY } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

const NAMES: Partial<Readonly<Record<WaitKind, string>>> = {
  threadpool: 'pieces of work for the thread pool', file: 'operations on files', dns: 'names looked up', connect: 'connections opened', socket: 'writes to sockets or pipes', process: 'child processes', worker: 'pieces of work for worker threads'
}

const ADVICE: Partial<Readonly<Record<WaitKind, string>>> = {
  threadpool: 'Hand over larger pieces: collect rows to some 64 KB, and flush at the end only.',
  file: 'Read or write one larger file, or several at a time, instead of one small one after the other.',
  dns: 'Keep connections open, or keep the addresses.',
  connect: 'Keep connections open and use them again.',
  socket: 'Collect what is to be sent to some 16 KB before it is written, or let cork() and uncork() do so.',
  process: 'Do it in this process, or keep one process running.',
  worker: 'Hand over many at a time.'
}

/** Thousands of operations so small that starting them is what takes the time. */
export function findTinyOperations (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  const { waits, places } = recorded
  const groups = groupBy(recorded.tallies.filter(({ kind, sync }) => (!sync || kind === 'socket') && kind in NAMES), ({ kind, site }) => `${kind} ${waits.sites[places.own(site)]?.frame ?? -1}`)
  return Array.from(groups.values()).flatMap(tallies => {
    const tiny = tallies.filter(({ median, waits: members }) => {
      const bytes = medianOf(waits, members, wait => (waits.bytes[wait] as number) / countOf(waits, wait))
      return median <= TINY.time && !(bytes > TINY.bytes)
    }).sort((a, b) => b.count - a.count || b.total - a.total)
    const [worst] = tiny
    const members = tiny.flatMap(({ waits }) => waits).sort((a, b) => a - b)
    const count = countSome(waits, members)
    const total = tiny.reduce((sum, { total }) => sum + total, 0)
    // Who writes to a socket is in a call of the system's for so long.
    const time = worst?.sync === true ? total : elapsed(recorded, members)
    if (worst === undefined || count < TINY.count || !isWorthTelling(look, time, TINY)) return []
    const bytes = members.reduce((sum, wait) => sum + (Number.isNaN(waits.bytes[wait]) ? 0 : waits.bytes[wait] as number), 0)
    const median = medianOf(waits, members, wait => meanTimeOf(waits, wait))
    return [{
      cause: 'tiny-operations' as const,
      title: `${formatCount(count)} ${NAMES[worst.kind]}, where few would do`,
      subject: `${worst.statement} ${worst.target}`.trim(),
      evidence: [
        byStatement(tiny).map(({ statement, count }) => `${statement} ${formatTimes(count)}`).join('; '),
        `${formatTime(time)} in all, ${formatTime(median)} each (median)${bytes > 0 ? `, ${formatBytes(Math.round(bytes / count))} on the average` : ''}`
      ],
      numbers: { count, total, median, bytes, ...most(tiny), ...worst.sync && { blocking: total } },
      places: callers(profile, recorded, worst.site),
      time,
      share: time / wall,
      advice: ADVICE[worst.kind] as string
    }]
  })
}

/** The count of the most frequent one. */
function most (tallies: readonly Tally[]): { most: number } {
  return { most: Math.max(...tallies.map(({ count }) => count)) }
}
