import type { Profile } from './model.ts'

/**
 * How many frames of a stack V8 records, the innermost ones (v8-profiler.h: TickSample::kMaxFramesCount). Inlined functions are
 * added afterwards, so a stack that was cut may have more, and one that wasn't too: 3,000 were seen.
 */
const MOST_FRAMES = 255

/** Samples of whose stacks V8 recorded only the inner part. */
export interface CutStacks {
  readonly samples: number
  /** Microseconds. */
  readonly time: number
}

/**
 * Finds the samples whose stack was cut at its outer end: those with as many frames as V8 records whose outermost function is called by
 * others elsewhere in the profile. What nobody calls is taken for the program's real entry. O(tree nodes + samples).
 */
export function cutStacks ({ frames, tree, samples }: Profile): CutStacks {
  const size = tree.parent.length
  const depth = new Int32Array(size)
  const outermost = new Int32Array(size)
  const isCallee = new Uint8Array(frames.length)
  for (let node = 1; node < size; node++) {
    const parent = tree.parent[node] as number
    depth[node] = depth[parent] as number + 1
    outermost[node] = parent === 0 ? node : outermost[parent] as number
    if (parent !== 0) isCallee[tree.frame[node] as number] = 1
  }
  let count = 0
  let time = 0
  samples.node.forEach((node, at) => {
    if (depth[node] as number < MOST_FRAMES || isCallee[tree.frame[outermost[node] as number] as number] === 0) return
    count++
    time += samples.duration[at] as number
  })
  return { samples: count, time }
}
