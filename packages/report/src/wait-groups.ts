import { waitKindName } from '@geordi/callgraph'
import type { WaitKind } from '@geordi/profile'
import { ramp } from './colour.ts'
import { theme, type WaitGroup } from './theme.ts'

const GROUPS: Readonly<Record<WaitKind, WaitGroup>> = {
  sql: 'database',
  document: 'database',
  cache: 'cache',
  http: 'network',
  dns: 'network',
  connect: 'network',
  network: 'network',
  socket: 'network',
  file: 'file',
  process: 'elsewhere',
  threadpool: 'elsewhere',
  worker: 'elsewhere',
  pool: 'pool',
  lock: 'lock',
  timer: 'timer'
}

/** What waits of several kinds are called together, in the order of the bar. */
const GROUP_NAMES: Readonly<Record<WaitGroup, string>> = {
  database: 'databases',
  cache: 'cache',
  network: 'network',
  file: 'files',
  elsewhere: 'threads, processes',
  pool: 'pool',
  lock: 'lock',
  timer: 'timer'
}

export const WAIT_GROUPS = Object.keys(GROUP_NAMES) as readonly WaitGroup[]

export function waitGroup (kind: WaitKind): WaitGroup {
  return GROUPS[kind]
}

/** The colour of a kind of wait. */
export function waitColour (kind: WaitKind): string {
  return theme.bar[GROUPS[kind]]
}

/** Around a wait's box: dark enough to be seen on paper, whatever the colour. */
export function waitEdge (kind: WaitKind): string {
  return ramp([waitColour(kind), theme.ink], 0.4)
}

/** The least of a wait's colour that its box has. */
const PALEST = 0.2

/** The fill of a wait's box: the more of its colour, the larger its share of the time. */
export function waitFill (kind: WaitKind, share: number): string {
  const depth = PALEST + (1 - PALEST) * Math.sqrt(Math.min(1, Math.max(0, share)))
  return ramp([theme.paper, waitColour(kind)], depth)
}

/** Waits of one colour in a word: `SQL`, or of several kinds `network`. */
export function waitName (group: WaitGroup, kinds: readonly WaitKind[]): string {
  const [only, ...others] = kinds
  return only !== undefined && others.length === 0 ? waitKindName(only) : GROUP_NAMES[group]
}
