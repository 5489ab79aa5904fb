import { classifier } from '../frame-kind.ts'
import { functionName } from '../frame-label.ts'
import type { Frame, Profile } from '../model.ts'
import { stackOf, stackTimes } from './stack-times.ts'

/** speedscope's own file format, what Geordi writes of it: https://www.speedscope.app/file-format-schema.json */
export interface SpeedscopeFile {
  $schema: 'https://www.speedscope.app/file-format-schema.json'
  name: string
  exporter: string
  activeProfileIndex: number
  shared: { frames: SpeedscopeFrame[] }
  profiles: SpeedscopeProfile[]
}

/** A function; `line` and `col` count from 1 and are missing where unknown. */
export interface SpeedscopeFrame {
  name: string
  file?: string
  line?: number
  col?: number
}

/** A recording in order of time or, where that would be too large, as stacks with their times added up. */
export type SpeedscopeProfile = SpeedscopeEvents | SpeedscopeStacks

/** Functions as they are opened and closed, in the order of time. */
export interface SpeedscopeEvents {
  type: 'evented'
  name: string
  unit: 'microseconds'
  startValue: number
  endValue: number
  events: Array<{ type: 'O' | 'C', frame: number, at: number }>
}

/** Stacks, the outermost function first, each with its time. */
export interface SpeedscopeStacks {
  type: 'sampled'
  name: string
  unit: 'microseconds'
  startValue: number
  endValue: number
  samples: number[][]
  weights: number[]
}

/** About 100 MB of JSON, and what speedscope can still show. */
const MOST_EVENTS = 3_000_000

/**
 * The profile for https://www.speedscope.app: an object for `JSON.stringify`. Times count from the recording's beginning; idle time is a gap
 * in which no function is open, as speedscope itself makes it of a `.cpuprofile`.
 *
 * @param mostEvents Where functions are opened and closed more often, equal stacks are added up: the order of time is lost, and
 * idle time is left out. @defaultValue 3 million
 */
export function exportSpeedscope (profile: Profile, mostEvents = MOST_EVENTS): SpeedscopeFile {
  const { request, title } = profile.run
  const name = request === undefined ? title ?? 'CPU profile' : `${request.method} ${request.url}`
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter: 'geordi',
    activeProfileIndex: 0,
    shared: { frames: profile.frames.map(frameOf) },
    profiles: [eventsOf(profile, name, mostEvents) ?? stacksOf(profile, `${name} (equal stacks added up)`)]
  }
}

function frameOf (frame: Frame): SpeedscopeFrame {
  const { url, line, column } = frame.source?.original ?? frame
  return { name: functionName(frame), ...url !== '' && { file: url }, ...line > 0 && { line }, ...column > 0 && { col: column } }
}

function stacksOf (profile: Profile, name: string): SpeedscopeStacks {
  const stacks = stackTimes(profile).filter(({ node }) => node > 0)
  const weights = stacks.map(({ time }) => time)
  const endValue = weights.reduce((sum, time) => sum + time, 0)
  const samples = stacks.map(({ node }) => stackOf(profile, node).reverse())
  return { type: 'sampled', name, unit: 'microseconds', startValue: 0, endValue, samples, weights }
}

function eventsOf ({ frames, tree, samples, run }: Profile, name: string, mostEvents: number): SpeedscopeEvents | undefined {
  const kindOf = classifier(run)
  const isIdle = frames.map(frame => kindOf(frame) === 'idle')
  const events: SpeedscopeEvents['events'] = []
  const open: number[] = []
  let at = 0
  const closeTo = (depth: number) => {
    while (open.length > depth) events.push({ type: 'C', frame: tree.frame[open.pop() as number] as number, at })
  }
  for (const [index, leaf] of samples.node.entries()) {
    const path: number[] = []
    if (!isIdle[tree.frame[leaf] as number]) for (let node = leaf; node > 0; node = tree.parent[node] as number) path.push(node)
    path.reverse()
    let same = 0
    while (same < path.length && open[same] === path[same]) same++
    closeTo(same)
    for (const node of path.slice(same)) {
      open.push(node)
      events.push({ type: 'O', frame: tree.frame[node] as number, at })
    }
    if (events.length + open.length > mostEvents) return undefined
    at += samples.duration[index] as number
  }
  closeTo(0)
  return { type: 'evented', name, unit: 'microseconds', startValue: 0, endValue: at, events }
}
