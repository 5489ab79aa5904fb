import type { Profile } from '@geordi/profile'
import type { TreeTimes } from './function-times.ts'
import { isFunction } from './function-times.ts'
import { walk } from './tree-walk.ts'

/** A call between two functions, frames by their index in `Profile.frames`, times in microseconds. */
export interface Call {
  readonly from: number
  readonly to: number
  /** Time of the samples in whose stack the call is; a sample counts once. */
  time: number
  /** The part of `time` in which nothing was left out between the two. */
  direct: number
}

/** The calls of a profile, and where it was entered. */
export interface Calls {
  readonly calls: readonly Call[]
  /** For each frame the time of the samples whose outermost function it is. */
  readonly entry: Float64Array
}

/**
 * Adds up the calls between the functions that are shown; those that aren't are seen through. O(tree nodes): counters of what is
 * on the stack take the place of looking at every sample's stack, and count a sample once.
 */
export function collectCalls (profile: Profile, times: TreeTimes, isShown: (frame: number) => boolean): Calls {
  const { tree, frames } = profile
  const size = tree.parent.length
  const calls: Call[] = []
  const entry = new Float64Array(frames.length)
  const ids = new Map<number, number>()
  const onStack: number[] = []
  const directOnStack: number[] = []
  // Of each tree node: the nearest shown function at or above it, whether something was left out since, and its call.
  const above = new Int32Array(size).fill(-1)
  const through = new Uint8Array(size)
  const callOf = new Int32Array(size).fill(-1)

  const isFunctionAt = Uint8Array.from(times.functions.kind, kind => isFunction(kind) ? 1 : 0)
  const isShownAt = isFunctionAt.map((isOne, frame) => isOne === 1 && isShown(frame) ? 1 : 0)

  const enter = (node: number) => {
    const frame = tree.frame[node] as number
    const parent = tree.parent[node] as number
    const caller = parent < 0 ? -1 : above[parent] as number
    const indirect = parent < 0 ? 0 : through[parent] as number
    if (isShownAt[frame] === 0) {
      above[node] = caller
      through[node] = indirect | (isFunctionAt[frame] as number)
      return
    }
    above[node] = frame
    const time = times.subtree[node] as number
    if (caller < 0) {
      entry[frame] = entry[frame] as number + time
      return
    }
    const id = idOf(ids, calls, caller, frame, frames.length)
    callOf[node] = id
    const call = calls[id] as Call
    if (count(onStack, id) === 1) call.time += time
    if (indirect === 0 && count(directOnStack, id) === 1) call.direct += time
  }
  const leave = (node: number) => {
    const id = callOf[node] as number
    if (id < 0) return
    onStack[id] = onStack[id] as number - 1
    if (through[tree.parent[node] as number] === 0) directOnStack[id] = directOnStack[id] as number - 1
  }
  walk(times.children, enter, leave)
  return { calls, entry }
}

function idOf (ids: Map<number, number>, calls: Call[], from: number, to: number, frames: number): number {
  const key = from * frames + to
  let id = ids.get(key)
  if (id === undefined) ids.set(key, id = calls.push({ from, to, time: 0, direct: 0 }) - 1)
  return id
}

function count (counters: number[], id: number): number {
  return (counters[id] = (counters[id] ?? 0) + 1)
}
