import { waitShapes, type WaitShape } from '@geordi/callgraph'
import type { WaitKind, Waits } from '@geordi/profile'
import { countSome, longestOf, meanTimeOf, quantilesOf, timeOf } from './counts.ts'
import type { CallPlaces } from './places.ts'

/** The waits for one statement from one place. Times are microseconds. */
export interface Tally extends WaitShape {
  readonly kind: WaitKind
  /** They blocked the thread: their time is CPU time of their caller. */
  readonly sync: boolean
  /** Index into `Waits.sites` of the application's own call, or the only one known; of the first wait's. -1 for none. */
  readonly site: number
  /** Indices of the rows, by their starts: each is a wait, or several that were counted. */
  readonly waits: readonly number[]
  readonly count: number
  /** The sum of all, each in full: with several at once it can be more than the wall time. */
  readonly total: number
  /** Their share of the wall time; 0 of what blocked the thread. */
  readonly wall: number
  readonly median: number
  readonly p95: number
  readonly max: number
  /** How many of them asked what another one had asked with the same values. */
  readonly repeats: number
  readonly failed: number
  /** What the longest of them was asked with; left out where that wasn't to be recorded, or only of a longer one from somewhere else. */
  readonly values?: string
}

/** What was asked for, and of whom where the statement doesn't say it. */
export function statementOf ({ kind, statement, target }: Pick<Tally, 'kind' | 'statement' | 'target'>): string {
  if (kind === 'sql') return statement
  if (kind === 'http') return statement.replace(' ', ` ${target.replace(/^\w+:\/\//, '')}`)
  return `${statement} ${target}`.trim()
}

interface Growing {
  readonly operation: number
  readonly shape: WaitShape
  readonly site: number
  readonly waits: number[]
}

/** Groups the waits by statement and the place of the call in the application's own code; the costliest first. */
export function talliesOf (waits: Waits, shares: Float64Array, places: CallPlaces): Tally[] {
  const shapes = waitShapes(waits)
  const shapeIds = new Map<string, number>()
  const idOf = waits.operations.map(({ kind, sync }, at) => {
    const { statement, target } = shapes[at] as WaitShape
    const key = `${kind} ${sync} ${target}\n${statement}`
    let id = shapeIds.get(key)
    if (id === undefined) shapeIds.set(key, id = shapeIds.size)
    return id
  })
  const groups = new Map<number, Growing>()
  waits.operation.forEach((operation, wait) => {
    const site = places.own(waits.site[wait] as number)
    const key = (idOf[operation] as number) * 2 ** 26 + places.id(site) + 1
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { operation, shape: shapes[operation] as WaitShape, site, waits: [wait] })
    else group.waits.push(wait)
  })
  const longest = new Float64Array(waits.operations.length)
  waits.operation.forEach((operation, wait) => { longest[operation] = Math.max(longest[operation] as number, longestOf(waits, wait)) })
  return Array.from(groups.values(), group => tally(waits, shares, longest, group)).sort((a, b) => costOf(b) - costOf(a) || b.total - a.total)
}

function costOf ({ sync, wall, total }: Tally): number {
  return sync ? total : wall
}

function tally (waits: Waits, shares: Float64Array, longestOfAll: Float64Array, { operation, shape, site, waits: members }: Growing): Tally {
  const { kind, sync, statement, target } = waits.operations[operation] as Waits['operations'][number]
  const isOne = members.every(wait => waits.operation[wait] === operation)
  const longest = members.reduce((longest, wait) => longestOf(waits, wait) > longestOf(waits, longest) ? wait : longest)
  const slowest = waits.operation[longest] as number
  const values = longestOf(waits, longest) < (longestOfAll[slowest] as number) ? undefined : waits.operations[slowest]?.values
  const [median, p95] = quantilesOf(waits, members, [0.5, 0.95], wait => meanTimeOf(waits, wait)) as [number, number]
  return {
    kind,
    sync,
    ...isOne ? { statement, target } : shape,
    site,
    waits: members,
    count: countSome(waits, members),
    total: members.reduce((sum, wait) => sum + timeOf(waits, wait), 0),
    wall: members.reduce((sum, wait) => sum + (shares[wait] as number), 0),
    median,
    p95,
    max: longestOf(waits, longest),
    repeats: repeatsOf(waits, members),
    failed: countSome(waits, members.filter(wait => waits.outcome[wait] === 1)),
    ...values !== undefined && { values }
  }
}

function repeatsOf (waits: Waits, members: readonly number[]): number {
  const known = members.filter(wait => waits.same[wait] !== 0)
  return countSome(waits, known) - new Set(known.map(wait => `${waits.operation[wait]} ${waits.same[wait]}`)).size
}
