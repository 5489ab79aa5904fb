import type { Waits } from '@geordi/profile'
import { formatCount, formatTime } from '../numbers.ts'
import { groupBy } from '../sums.ts'
import { elapsed, runningTime, type Look, type RecordedLook } from '../waits/look.ts'
import { countSome, meanTimeOf, medianOf, timeOf } from '../waits/counts.ts'
import { statementOf } from '../waits/tallies.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { changesNothing, isAround, reads } from './statements.ts'
import { IDENTICAL, WITHIN_PROCESS } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** The very same question, values and all, again and again: the answer could have been kept. */
export function findIdentical (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  const { waits } = recorded
  return questions(waits).flatMap(members => {
    const operation = waits.operations[waits.operation[members[0] as number] as number] as Waits['operations'][number]
    // The first one has to be asked.
    const time = elapsed(recorded, members.slice(1))
    if (!isWorthTelling(look, time, operation.sync ? WITHIN_PROCESS : {}) || isPolling(waits, members) || isRewritten(waits, members)) return []
    const { kind } = operation
    const count = countSome(waits, members)
    const total = members.reduce((sum, wait) => sum + timeOf(waits, wait), 0)
    const median = medianOf(waits, members, wait => meanTimeOf(waits, wait))
    const sites = sitesOf(recorded, members)
    const what = { sql: 'The identical query', document: 'The identical query', cache: 'The same thing is asked of the cache', http: 'The same URL is asked for' }[kind as 'sql']
    return [{
      cause: 'identical' as const,
      title: `${what} ${formatCount(count)} times`,
      subject: statementOf(operation),
      evidence: [
        `${formatCount(count)} times with the same values, ${formatTime(total)} in all, ${formatTime(median)} each (median)`,
        ...sites.length > 1 ? [`from ${sites.length} places, ${formatCount((sites[0] as Site).count)} times from this one`] : []
      ],
      numbers: { count, total, median, running: runningTime(recorded, members) },
      places: callers(profile, recorded, sites[0]?.site ?? -1),
      time,
      share: time / wall,
      advice: 'Ask once and keep the answer for as long as the request lasts.'
    }]
  })
}

/** The waits of each question that was asked often enough and changes nothing by being asked. */
function questions (waits: Waits): number[][] {
  const { operations, operation, same, outcome } = waits
  const isAsked = operations.map(one => (!one.sync || one.kind === 'sql') && reads(one) && !isAround(one))
  const asked = Array.from(operation.keys()).filter(wait => isAsked[operation[wait] as number] === true && same[wait] !== 0 && outcome[wait] === 0)
  const groups = groupBy(asked, wait => `${operation[wait]} ${same[wait]}`)
  return Array.from(groups.values()).filter(members => countSome(waits, members) >= IDENTICAL.count)
}

/** Whether timers fill the time between two of them: who waits for another answer has to ask again. */
export function isPolling (waits: Waits, members: readonly number[]): boolean {
  const timers: number[] = []
  waits.operation.forEach((id, wait) => { if (waits.operations[id]?.kind === 'timer') timers.push(wait) })
  let [between, timed] = [0, 0]
  let at = 0
  members.slice(1).forEach((wait, index) => {
    const from = waits.end[members[index] as number] as number
    const to = waits.start[wait] as number
    if (to <= from) return
    between += to - from
    while (at < timers.length && (waits.end[timers[at] as number] as number) <= from) at++
    let until = from
    for (let next = at; next < timers.length && (waits.start[timers[next] as number] as number) < to; next++) {
      const timer = timers[next] as number
      // One that goes on beside them, an interval or a limit to all of them, leads to a question only where it has ended before it.
      if ((waits.end[timer] as number) > to) continue
      const end = Math.min(to, waits.end[timer] as number)
      timed += Math.max(0, end - Math.max(until, waits.start[timer] as number))
      until = Math.max(until, end)
    }
  })
  return between > 0 && timed >= IDENTICAL.polled * between
}

/** Whether the same server was told to change something between most of them. */
function isRewritten (waits: Waits, members: readonly number[]): boolean {
  const { kind, target } = waits.operations[waits.operation[members[0] as number] as number] as Waits['operations'][number]
  const isWrite = waits.operations.map(one => one.kind === kind && one.target === target && !changesNothing(one) && !isAround(one))
  let rewritten = 0
  members.slice(1).forEach((wait, index) => {
    for (let at = (members[index] as number) + 1; at < wait; at++) {
      if (isWrite[waits.operation[at] as number] !== true) continue
      rewritten++
      return
    }
  })
  return rewritten >= IDENTICAL.rewritten * (members.length - 1)
}

interface Site { readonly site: number, readonly count: number }

/** The calls, the most frequent first. */
function sitesOf ({ waits, places }: RecordedLook, members: readonly number[]): Site[] {
  const sites = groupBy(members.map(wait => places.own(waits.site[wait] as number)), site => places.id(site))
  return Array.from(sites.values(), all => ({ site: all[0] as number, count: all.length })).sort((a, b) => b.count - a.count)
}
