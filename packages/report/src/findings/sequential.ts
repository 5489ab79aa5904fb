import { waitShape } from '@geordi/callgraph'
import type { Waits } from '@geordi/profile'
import { formatCount, formatTime } from '../numbers.ts'
import type { Look, RecordedLook } from '../waits/look.ts'
import { placeOfSite, type Place } from '../waits/places.ts'
import type { Finding } from './finding.ts'
import { changesNothing, isAround } from './statements.ts'
import { SEQUENTIAL } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

const MOST_LINES = 8

/** What one line of a function waited for. */
interface Step {
  readonly site: number
  readonly waits: number[]
  start: number
  end: number
}

/**
 * Operations that one function awaits one after the other, and that look as if none needed another's answer: they only read, and have no parameters but
 * those that the first one had. That nothing else ties them can't be seen from outside.
 */
export function findSequential (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  return Array.from(functionsOf(recorded).values()).flatMap(steps => {
    const run = independent(recorded, Array.from(steps.values()).sort((a, b) => a.start - b.start))
    const times = run.map(({ start, end }) => end - start)
    const total = times.reduce((sum, time) => sum + time, 0)
    const slowest = Math.max(...times)
    if (run.length < SEQUENTIAL.count || !isWorthTelling(look, total - slowest, { time: SEQUENTIAL.saved, share: SEQUENTIAL.savedShare })) return []
    const time = total - slowest
    const places = run.map(({ site }) => placeOfSite(profile, site))
    return [{
      cause: 'sequential' as const,
      title: `${formatCount(run.length)} operations one after the other, possibly independent of each other`,
      subject: '',
      evidence: [
          `${formatTime(total)} in all, the slowest ${formatTime(slowest)}: together they might save ${formatTime(time)}`,
          `awaited in ${linesOf(places)}`
      ],
      numbers: { count: run.length, total, max: slowest },
      places: places.slice(0, 1),
      time,
      share: time / wall,
      advice: 'If none needs another\'s answer, start them together and await Promise.all().'
    }]
  })
}

/** `the lines 9, 11, 13 and 5 more`. */
function linesOf (places: readonly Place[]): string {
  const lines = [...new Set(places.map(({ line, source }) => source?.original?.line ?? line))]
  const told = `${lines.length === 1 ? 'line' : 'the lines'} ${lines.slice(0, MOST_LINES).join(', ')}`
  return lines.length > MOST_LINES ? `${told} and ${lines.length - MOST_LINES} more` : told
}

/** For each call of an own function what its lines waited for. A line in a loop has all of its turns. */
function functionsOf ({ waits, places }: RecordedLook): Map<string, Map<number, Step>> {
  const functions = new Map<string, Map<number, Step>>()
  waits.operation.forEach((id, wait) => {
    const { kind, sync } = waits.operations[id] as Waits['operations'][number]
    const [start, end] = [waits.start[wait] as number, waits.end[wait] as number]
    // What takes no time tells nothing, but a statement that begins a transaction does: its caller looks at all of them.
    if (sync || !['sql', 'document', 'http'].includes(kind) || end - start < SEQUENTIAL.step) return
    for (const site of places.chain(waits.site[wait] as number)) {
      const { frame, parent } = waits.sites[site] as Waits['sites'][number]
      const key = `${parent} ${frame}`
      let steps = functions.get(key)
      if (steps === undefined) functions.set(key, steps = new Map())
      const line = places.id(site)
      const step = steps.get(line)
      if (step === undefined) steps.set(line, { site, waits: [wait], start, end })
      else {
        step.waits.push(wait)
        step.start = Math.min(step.start, start)
        step.end = Math.max(step.end, end)
      }
    }
  })
  return functions
}

/** The longest row of steps that don't overlap and may stand for themselves. */
function independent ({ waits }: RecordedLook, steps: readonly Step[]): Step[] {
  const transactions = transactionsOf(waits)
  let best: Step[] = []
  let run: Step[] = []
  for (const step of steps) {
    const last = run.at(-1)
    const first = run[0] ?? step
    const stands = step.waits.every(wait => isFree(waits, wait, first.waits[0] as number) && !transactions.some(({ start, end }) => step.start >= start && step.start < end))
    if (!stands || (last !== undefined && step.start < last.end)) run = stands ? [step] : []
    else run.push(step)
    if (run.length > best.length) best = [...run]
  }
  return best
}

/** Whether it asks for nothing that an answer since the first one could have told. */
function isFree (waits: Waits, wait: number, first: number): boolean {
  const operation = waits.operations[waits.operation[wait] as number] as Waits['operations'][number]
  if (!changesNothing(operation)) return false
  if (operation.kind === 'http') return waitShape(operation).statement === operation.statement && !operation.statement.includes('?')
  if (operation.kind === 'document') return false
  return operation.parameters !== true || wait === first || (waits.same[wait] !== 0 && waits.same[wait] === waits.same[first])
}

/** From when to when transactions were open: what is in one has one connection and can't be done at once. */
function transactionsOf ({ operations, operation, start, end }: Waits): Array<{ start: number, end: number }> {
  const found: Array<{ start: number, end: number }> = []
  const open = new Map<string, number>()
  operation.forEach((id, wait) => {
    const one = operations[id] as Waits['operations'][number]
    if (!isAround(one)) return
    if (/^\s*(?:begin|start)\b/i.test(one.statement)) open.set(one.target, start[wait] as number)
    else if (/^\s*(?:commit|end|rollback|abort)\b/i.test(one.statement)) {
      const since = open.get(one.target)
      if (since !== undefined) found.push({ start: since, end: end[wait] as number })
      open.delete(one.target)
    }
  })
  for (const since of open.values()) found.push({ start: since, end: Infinity })
  return found
}
