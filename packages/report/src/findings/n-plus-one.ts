import { formatCount, formatTime } from '../numbers.ts'
import { elapsed, runningTime, type Look, type RecordedLook } from '../waits/look.ts'
import { countOf, medianOf, openTime, timeOf } from '../waits/counts.ts'
import { statementOf, type Tally } from '../waits/tallies.ts'
import type { Finding } from './finding.ts'
import { isPolling } from './identical.ts'
import { callers } from './places.ts'
import { isAtOnce, isBatched, isRepeatedQuestion, isRepeatedWork, isWork, withoutOutliers, WORK_ADVICE, WORK_NAMES } from './repeated-work.ts'
import { isAround, isPaged, isWaiting, reads, verbOf } from './statements.ts'
import { IDENTICAL, LEAST, N_PLUS_ONE, WITHIN_PROCESS } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** The same query for each row, each with other values: the «N+1», whether one waits for the other or not. */
export function findNPlusOne (look: Look): Finding[] {
  return findOneByOne(look, (recorded, tally) => isOneByOne(recorded, tally) || isRepeatedWork(look, recorded, tally) || isRepeatedQuestion(look, recorded, tally))
}

const KINDS: ReadonlySet<string> = new Set(['sql', 'document', 'cache', 'http', 'network'])

function findOneByOne (look: Look, isOne: (recorded: RecordedLook, tally: Tally) => boolean): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  return recorded.tallies.filter(tally => isOne(recorded, tally)).flatMap(tally => {
    const usual = tally.sync ? tally.waits : withoutOutliers(recorded.waits, tally.waits, tally.median)
    const time = elapsed(recorded, usual)
    if (!isWorthTelling(look, time, tally.sync ? WITHIN_PROCESS : {})) return []
    const { kind, count, total, median, site, repeats } = tally
    const others = tally.waits.length - usual.length
    const apart = total - usual.reduce((sum, wait) => sum + timeOf(recorded.waits, wait), 0)
    const atOnce = total / openTime(recorded.waits, tally.waits)
    const isInTurn = !isAtOnce(recorded, tally)
    return [{
      cause: 'n-plus-one' as const,
      title: `${NAMES[kind as keyof typeof NAMES]} ${formatCount(count)} times, ${isInTurn ? 'one by one' : `some ${formatCount(Math.round(atOnce))} at a time`}`,
      subject: statementOf(tally),
      evidence: [
        `${formatCount(count)} from one call, ${formatTime(total)} in all, ${formatTime(median)} each (median)`,
        ...others > 0 && apart >= LEAST.share * total ? [`${formatCount(others)} of them took far longer than that, ${formatTime(apart)}, which is not counted here`] : [],
        ...repeats > 0 && reads(tally) ? [`${formatCount(repeats)} of them asked for what another had asked for already`] : []
      ],
      numbers: { count, total, median, running: runningTime(recorded, usual) },
      places: callers(profile, recorded, site),
      time,
      share: time / wall,
      advice: adviceOf(tally, isInTurn)
    }]
  })
}

const NAMES = { sql: 'The same statement', document: 'The same query', cache: 'The same command of the cache', http: 'The same service is asked', network: 'The same server is asked', ...WORK_NAMES }

function isOneByOne ({ waits }: RecordedLook, tally: Tally): boolean {
  const { kind, sync, count, waits: members, total, repeats } = tally
  if (!KINDS.has(kind) || (sync && kind !== 'sql') || count < N_PLUS_ONE.count || isAround(tally) || isPaged(tally) || isWaiting(tally)) return false
  if (kind === 'network' && (count < N_PLUS_ONE.exchanges || medianOf(waits, members, wait => (waits.bytes[wait] as number) / countOf(waits, wait)) >= N_PLUS_ONE.batchBytes)) return false
  if (isBatched(waits, members)) return false
  // Few questions, asked again and again, are told as what they are; of many rows' some have the same answer. What is sent with a POST isn't known.
  if (repeats >= IDENTICAL.count && count - repeats < N_PLUS_ONE.count && (reads(tally) || isPolling(waits, members))) return false
  return kind !== 'cache' || total / openTime(waits, members) < N_PLUS_ONE.pipelined
}

function adviceOf ({ kind, statement }: Tally, isInTurn: boolean): string {
  if (isWork(kind)) return WORK_ADVICE[kind]
  if (kind === 'cache') return 'Ask for all keys at once: MGET, or a pipeline.'
  const others = isInTurn ? ', or for several at a time' : ''
  if (kind === 'network') return `Ask for all of them at once${others}.`
  if (kind === 'http') return `Ask the service for all of them in one request${others}.`
  switch (verbOf(statement)) {
    case 'insert': return 'Insert many rows with one statement.'
    case 'change': return 'Change all rows with one statement: WHERE id = ANY (…), or a join with the list of changes.'
    case 'read': return 'Load all rows with one statement before the loop: WHERE id = ANY (…), or a join.'
  }
}
