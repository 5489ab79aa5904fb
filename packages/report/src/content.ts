import type { CallGraph, ProfileTimes } from '@geordi/callgraph'
import type { FrameKind, Profile } from '@geordi/profile'
import { formatShare, formatTime } from './numbers.ts'
import type { LinkToSource } from './source-link.ts'
import type { BarPart } from './theme.ts'

/** What the pages are made from. */
export interface Content {
  readonly profile: Profile
  readonly graph: CallGraph
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
  readonly parts: ReadonlyArray<{ readonly part: BarPart, readonly time: number }>
}

const ORDER: readonly Exclude<FrameKind, 'root'>[] = ['app', 'dependency', 'node', 'native', 'program', 'gc', 'idle']

/** Shares the wall time out. What the profiler didn't see of it is a part of its own. */
export function wallTime ({ run }: Profile, { times, functions }: ProfileTimes): WallTime {
  const byKind = new Map<FrameKind, number>([['gc', times.gc], ['program', times.program], ['idle', times.idle]])
  functions.self.forEach((self, frame) => {
    const kind = functions.kind[frame] as FrameKind
    if (self > 0) byKind.set(kind, (byKind.get(kind) ?? 0) + self)
  })
  const parts: Array<{ part: BarPart, time: number }> = ORDER.map(part => ({ part, time: byKind.get(part) ?? 0 }))
  const time = Math.max(run.wallTime ?? 0, times.sampled)
  parts.push({ part: 'unsampled', time: time - times.sampled })
  return { time, parts: parts.filter(({ time }) => time > 0) }
}

/** That the recording isn't whole, and why, as a sentence. */
export function whyPartial ({ profile: { run: { ended } } }: Content): string | undefined {
  return ended === undefined ? undefined : `This is only a part of the run: ${ended}. What was recorded until then is shown.`
}

/** Why there is nothing to draw, in words; `undefined` where there is something. */
export function whyEmpty ({ profile, graph: { times, nodes, other }, wall }: Content): string | undefined {
  if (nodes.length > 0) return undefined
  const what = profile.run.request === undefined ? 'The program' : 'The request'
  if (times.samples === 0) {
    const interval = profile.run.profiler?.interval
    const every = interval === undefined ? '' : `, which looks every ${formatTime(interval)},`
    return `The recording holds no samples: it was over before the profiler${every} looked for the first time.`
  }
  const functions = other.functions === 0
    ? 'no JavaScript was sampled'
    : 'none of the functions that were sampled took long enough to be shown'
  if (times.idle === 0) return `${what} ran for ${formatTime(times.busy)}, but ${functions}.`
  return `${what} waited ${formatShare(times.idle / wall.time)} of the time (for input, output or timers); ${functions}.`
}
