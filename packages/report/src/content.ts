import { type CallGraph, type ProfileTimes, type TimeKind, type TimeView, waitFrames } from '@geordi/callgraph'
import type { FrameKind, Profile, WaitKind } from '@geordi/profile'
import type { Finding } from './findings/finding.ts'
import { formatCount, formatShare, formatTime, plural } from './numbers.ts'
import type { LinkToSource } from './source-link.ts'
import type { BarPart } from './theme.ts'
import type { Look } from './waits/look.ts'
import { WAIT_GROUPS, waitGroup } from './wait-groups.ts'

/** What the pages are made from. */
export interface Content {
  /** What the graph is of: the part of the recording that is looked at, named. */
  readonly profile: Profile
  /** The whole recording, whatever part of it is looked at; its waits are all there are. */
  readonly recording: Profile
  readonly graph: CallGraph
  /** The recording as findings, table and timeline of the waits see it. */
  readonly look: Look
  /** Why the run was slow, the costliest first. */
  readonly findings: readonly Finding[]
  readonly wall: WallTime
  /** What one box of the graph is. */
  readonly unit: 'function' | 'file' | 'package'
  /** Its graph is drawn: it could be laid out. */
  readonly hasBoxes: boolean
  /** Where its source is on the web or in an editor, if links were asked for. */
  readonly source: LinkToSource
  /** What the reader has to know about how the report came about, as sentences. */
  readonly notes: readonly string[]
}

/** Where the wall time went. The parts sum to the time. */
export interface WallTime {
  /** Microseconds: the run's own wall time, or the sampled time where that is longer or the only one known. */
  readonly time: number
  readonly parts: readonly WallPart[]
}

export interface WallPart {
  readonly part: BarPart
  readonly time: number
  /** Which kinds of waits it's made of, the longest first; of other parts none. */
  readonly waits?: readonly WaitKind[]
}

const RUNNING: readonly Exclude<FrameKind, 'root'>[] = ['app', 'dependency', 'node', 'native', 'program', 'gc']

/** What 100 % is, in words. */
export const COUNTED: Readonly<Record<TimeView, string>> = { cpu: 'busy time', wait: 'time spent waiting', wall: 'wall time' }

/**
 * Shares the wall time out. What the profiler didn't see of it is a part of its own.
 *
 * @param times Of the profile's whole wall time.
 */
export function wallTime (profile: Profile, { times, functions }: ProfileTimes): WallTime {
  const waits = waitFrames(profile)
  const byKind = new Map<TimeKind, number>([['gc', times.gc], ['program', times.program]])
  const byWait = new Map<WaitKind, number>()
  functions.self.forEach((self, frame) => {
    if (self === 0) return
    const wait = waits.get(frame)
    if (wait !== undefined) byWait.set(wait.kind, (byWait.get(wait.kind) ?? 0) + self)
    else add(byKind, functions.kind[frame] as TimeKind, self)
  })
  const running: WallPart[] = RUNNING.map(part => ({ part, time: byKind.get(part) ?? 0 }))
  const unsampled = (profile.run.wallTime ?? 0) - times.sampled
  // Sums of many stretches are off by a hair.
  const time = unsampled > 1 ? times.sampled + unsampled : times.sampled
  const rest: WallPart[] = [{ part: 'recording', time: times.recording }, { part: 'idle', time: times.idle }, { part: 'unsampled', time: time - times.sampled }]
  return { time, parts: [...running, ...waitParts(byWait), ...rest].filter(({ time }) => time > 0) }
}

function waitParts (byWait: ReadonlyMap<WaitKind, number>): WallPart[] {
  const kinds = Array.from(byWait).sort(([, a], [, b]) => b - a)
  return WAIT_GROUPS.map(part => {
    const own = kinds.filter(([kind]) => waitGroup(kind) === part)
    return { part, time: own.reduce((sum, [, time]) => sum + time, 0), waits: own.map(([kind]) => kind) }
  })
}

function add<K> (sums: Map<K, number>, key: K, time: number): void {
  sums.set(key, (sums.get(key) ?? 0) + time)
}

/** Whether waits are counted beside functions, in the graph and the tables. */
export function countsWaits ({ profile: { waits }, graph: { options: { time } } }: Content): boolean {
  return waits !== undefined && time !== 'cpu'
}

/** What samples were taken, in words: how many, also `'busy'` ones alone, and how often; of the whole recording where only these are known. */
export function samplesInWords ({ graph: { times: { samples, busySamples, sampled } }, recording: { waits }, wall }: Content, which: 'all' | 'busy'): string {
  const busy = plural(busySamples, 'busy sample')
  const many = which === 'busy' ? busy : formatCount(samples)
  // With recorded waits, samples are counted when they are joined with these, and not for each function.
  const unsampled = wall.parts.find(({ part }) => part === 'unsampled')?.time ?? 0
  const isPart = waits !== undefined && sampled < wall.time - unsampled - 1
  const often = samples === 0 ? '' : isPart ? ' in the whole recording' : `, one every ${formatTime(sampled / samples)}`
  return `${many}${often}${which === 'busy' ? '' : `; ${formatCount(busySamples)} busy`}`
}

/** That the recording isn't whole, and why, as a sentence. */
export function whyPartial ({ profile: { run: { ended } } }: Content): string | undefined {
  return ended === undefined ? undefined : `This is only a part of the run: ${ended}. What was recorded until then is shown.`
}

/** Why there is nothing to draw, in words; `undefined` where there is something. */
export function whyEmpty ({ profile, graph: { times, nodes, other, options }, wall }: Content): string | undefined {
  if (nodes.length > 0) return undefined
  const what = profile.run.request === undefined ? 'The program' : 'The request'
  if (options.time === 'wait') return `${what} waited for nothing that was recorded.`
  if (times.samples === 0) {
    const interval = profile.run.profiler?.interval
    const every = interval === undefined ? '' : `, which looks every ${formatTime(interval)},`
    return `The recording holds no samples: it was over before the profiler${every} looked for the first time.`
  }
  const functions = other.functions === 0
    ? 'no JavaScript was sampled'
    : 'none of the functions that were sampled took long enough to be shown'
  const waited = times.idle + times.wait
  if (waited === 0) return `${what} ran for ${formatTime(times.busy)}, but ${functions}.`
  return `${what} waited ${formatShare(waited / wall.time)} of the time (for input, output or timers); ${functions}.`
}
