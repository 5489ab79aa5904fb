import { classifier, type FrameKind, type Profile } from '@geordi/profile'
import type { GraphTimes } from './graph.ts'
import type { TimeView } from './options.ts'
import { childrenOf, walk, type Children } from './tree-walk.ts'
import { waitFrames } from './wait-frames.ts'

/**
 * Whose time a frame's is: `wait` is an operation that was waited for, `recording` what recording the waits cost.
 * The other kinds are those of `classify`.
 */
export type TimeKind = FrameKind | 'wait' | 'recording'

/** Times of every function, as columns indexed like `Profile.frames`, in microseconds, of what the graph counts: see `GraphTimes.total`. */
export interface FunctionTimes {
  /** Time in the function itself, or spent waiting for the operation. */
  readonly self: Float64Array
  /** Time in the function and all it calls; a sample counts once, however often the function recurs in its stack. */
  readonly total: Float64Array
  /** The part of `total` in which code ran: without what was waited for. */
  readonly cpu: Float64Array
  readonly kind: readonly TimeKind[]
}

/** A profile's times, ready for the walks that make the graph. */
export interface TreeTimes {
  readonly functions: FunctionTimes
  /** The tree, turned around for walking. */
  readonly children: Children
  /** For each tree node its time and that of all below it, of what is counted. */
  readonly subtree: Float64Array
  /** The self times per node, of what is counted. */
  readonly self: Float64Array
  readonly times: GraphTimes
}

/** True for what can be a node of a graph: V8's markers are not functions. Waits are. */
export function isFunction (kind: TimeKind | undefined): boolean {
  return kind === 'app' || kind === 'dependency' || kind === 'node' || kind === 'native' || kind === 'wait'
}

/**
 * Adds up the samples: O(samples + tree nodes). A function's total is the sum of the subtrees at its outermost
 * occurrences, which counts recursion once; that is the same as counting it once a sample.
 */
export function timesOf (profile: Profile, view: TimeView): TreeTimes {
  const { tree, samples } = profile
  const kind = kindsOf(profile)
  const own = new Float64Array(tree.parent.length)
  const isIdle = Uint8Array.from(tree.frame, frame => kind[frame] === 'idle' ? 1 : 0)
  let idleSamples = 0
  for (let at = 0; at < samples.node.length; at++) {
    const node = samples.node[at] as number
    own[node] = own[node] as number + (samples.duration[at] as number)
    idleSamples += isIdle[node] as number
  }
  const self = byFrame(profile, own)
  const sums = new Map<TimeKind, number>()
  self.forEach((time, frame) => sums.set(kind[frame] as TimeKind, (sums.get(kind[frame] as TimeKind) ?? 0) + time))
  const isLeftOut = Uint8Array.from(kind, kind => isCounted(kind, view) ? 0 : 1)
  for (let node = 0; node < own.length; node++) if (isLeftOut[tree.frame[node] as number] === 1) own[node] = 0
  self.forEach((_, frame) => { if (isLeftOut[frame] === 1 || !isFunction(kind[frame])) self[frame] = 0 })
  const observed = profile.waits?.recording.samples ?? { all: samples.node.length, busy: samples.node.length - idleSamples }
  const subtree = summedUp(profile, own)
  const children = childrenOf(tree)
  const total = totals(profile, subtree, children)
  const cpu = sums.get('wait') === undefined || view === 'cpu' ? total : totals(profile, summedUp(profile, running(profile, own, kind)), children)
  return { functions: { self, total, cpu, kind }, children, subtree, self: own, times: timesBy(sums, observed, view) }
}

/** Whether time of that kind is a part of 100 %; of the idle time only the outermost sum is, which no function has. */
function isCounted (kind: TimeKind, view: TimeView): boolean {
  if (kind === 'idle') return false
  return view === 'wall' || (view === 'wait') === (kind === 'wait')
}

/** The time that is counted. */
export function countedOf ({ busy, wait, sampled }: Pick<GraphTimes, 'busy' | 'wait' | 'sampled'>, view: TimeView): number {
  return { cpu: busy, wait, wall: sampled }[view]
}

function timesBy (sums: ReadonlyMap<TimeKind, number>, { all, busy: busySamples }: { all: number, busy: number }, view: TimeView): GraphTimes {
  const sum = (kind: TimeKind) => sums.get(kind) ?? 0
  const wait = sum('wait')
  const idle = sum('idle')
  // A sample of the root itself is in no function either.
  const program = sum('program') + sum('root')
  const gc = sum('gc')
  const recording = sum('recording')
  const busy = sum('app') + sum('dependency') + sum('node') + sum('native') + gc + program + recording
  const sampled = busy + wait + idle
  return { total: countedOf({ busy, wait, sampled }, view), sampled, busy, wait, idle, gc, program, recording, busySamples, samples: all }
}

function kindsOf (profile: Profile): TimeKind[] {
  const { frames, run } = profile
  const waits = waitFrames(profile)
  const kindOf = classifier(run)
  return frames.map((frame, index) => {
    if (frame.url !== '') return kindOf(frame)
    return waits.has(index) ? 'wait' : frame.name === '(recording)' ? 'recording' : kindOf(frame)
  })
}

function byFrame ({ tree, frames }: Profile, own: Float64Array): Float64Array {
  const sums = new Float64Array(frames.length)
  for (let node = 0; node < own.length; node++) {
    const frame = tree.frame[node] as number
    sums[frame] = sums[frame] as number + (own[node] as number)
  }
  return sums
}

/** The nodes' own times without those of waits. */
function running ({ tree }: Profile, own: Float64Array, kind: readonly TimeKind[]): Float64Array {
  return own.map((time, node) => kind[tree.frame[node] as number] === 'wait' ? 0 : time)
}

/** For each node the sum of its own time and of all below it. */
function summedUp ({ tree }: Profile, own: Float64Array): Float64Array {
  const sum = own.slice()
  for (let node = sum.length - 1; node > 0; node--) {
    const parent = tree.parent[node] as number
    sum[parent] = sum[parent] as number + (sum[node] as number)
  }
  return sum
}

function totals ({ tree, frames }: Profile, subtree: Float64Array, children: Children): Float64Array {
  const total = new Float64Array(frames.length)
  const onStack = new Int32Array(frames.length)
  const enter = (node: number) => {
    const frame = tree.frame[node] as number
    const depth = onStack[frame] as number
    if (depth === 0) total[frame] = total[frame] as number + (subtree[node] as number)
    onStack[frame] = depth + 1
  }
  const leave = (node: number) => {
    const frame = tree.frame[node] as number
    onStack[frame] = onStack[frame] as number - 1
  }
  walk(children, enter, leave)
  return total
}
