import { classify, type FrameKind, type Profile } from '@geordi/profile'
import type { GraphTimes } from './graph.ts'
import { childrenOf, walk, type Children } from './tree-walk.ts'

/** Times of every function, as columns indexed like `Profile.frames`, in microseconds. */
export interface FunctionTimes {
  /** Time in the function itself. */
  readonly self: Float64Array
  /** Time in the function and all it calls; a sample counts once, however often the function recurs in its stack. */
  readonly total: Float64Array
  readonly kind: readonly FrameKind[]
}

/** A profile's times, ready for the walks that make the graph. */
export interface TreeTimes {
  readonly functions: FunctionTimes
  /** The tree, turned around for walking. */
  readonly children: Children
  /** For each tree node its time and that of all below it, without idle time. */
  readonly subtree: Float64Array
  /** The self times per node, without idle time. */
  readonly self: Float64Array
  readonly idle: number
  readonly gc: number
  readonly program: number
  readonly samples: number
  readonly busySamples: number
}

/** True for what can be a node of a graph: V8's markers are not functions. */
export function isFunction (kind: FrameKind | undefined): boolean {
  return kind === 'app' || kind === 'dependency' || kind === 'node' || kind === 'native'
}

/**
 * Adds up the samples: O(samples + tree nodes). A function's total is the sum of the subtrees at its outermost
 * occurrences, which counts recursion once; that is the same as counting it once a sample.
 */
export function timesOf (profile: Profile): TreeTimes {
  const { tree, samples, frames, run } = profile
  const kind = kindsOf(frames, run)
  const kindOf = (node: number) => kind[tree.frame[node] as number]
  const subtree = new Float64Array(tree.parent.length)
  let idle = 0
  let idleSamples = 0
  samples.node.forEach((node, at) => {
    const duration = samples.duration[at] as number
    if (kindOf(node) === 'idle') {
      idle += duration
      idleSamples++
    } else subtree[node] = subtree[node] as number + duration
  })
  const selfOf = subtree.slice()
  let gc = 0
  let program = 0
  const self = new Float64Array(frames.length)
  selfOf.forEach((time, node) => {
    const kind = kindOf(node)
    if (kind === 'gc') gc += time
    // A sample of the root itself is in no function either.
    else if (kind === 'program' || kind === 'root') program += time
    else self[tree.frame[node] as number] = self[tree.frame[node] as number] as number + time
  })
  for (let node = subtree.length - 1; node > 0; node--) {
    const parent = tree.parent[node] as number
    subtree[parent] = subtree[parent] as number + (subtree[node] as number)
  }
  const children = childrenOf(tree)
  const total = totals(profile, subtree, children)
  return {
    functions: { self, total, kind },
    children,
    subtree,
    self: selfOf,
    idle,
    gc,
    program,
    samples: samples.node.length,
    busySamples: samples.node.length - idleSamples
  }
}

/** The sums that shares are of. */
export function graphTimesOf ({ functions, idle, gc, program, samples, busySamples }: TreeTimes): GraphTimes {
  const busy = functions.self.reduce((sum, time) => sum + time, gc + program)
  return { sampled: busy + idle, busy, idle, gc, program, busySamples, samples }
}

/** Frames are many and scripts few: a script is looked at once. V8's markers and native functions have none. */
function kindsOf (frames: Profile['frames'], run: Profile['run']): FrameKind[] {
  const known = new Map<string, FrameKind>()
  return frames.map(frame => {
    // A bundle's functions may be the application's and its packages'.
    if (frame.source !== undefined) return classify(frame, run)
    const kind = frame.url === '' ? classify(frame, run) : known.get(frame.url) ?? classify(frame, run)
    known.set(frame.url, kind)
    return kind
  })
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
