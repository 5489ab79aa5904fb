import type { Profile } from '@geordi/profile'

/**
 * What becomes of a node: a frame of its own below what its caller became; `fold`: its time is its caller's;
 * `drop`: it is gone, and its samples with it.
 */
export type Rewrite = number | 'fold' | 'drop'

/**
 * A profile with another call tree, in which equal stacks are one node again. The root stays; below a node that was dropped, what is kept
 * is called by the root. O(tree nodes + samples).
 *
 * @param rewrite Asked callers first; `above` is the frame that the nearest node kept above has now, `undefined` for the root and right
 * below it. The root stays even if it's to be dropped, without samples of its own.
 */
export function rewriteTree (profile: Profile, rewrite: (frame: number, above: number | undefined) => Rewrite): Profile {
  const { tree, samples, frames } = profile
  const size = tree.parent.length
  // For each node the new one that it became; -1 for dropped.
  const became = new Int32Array(size).fill(-1)
  const frame: number[] = []
  const parent: number[] = []
  const known = new Map<number, number>()
  if (size > 0) {
    const root = rewrite(tree.frame[0] as number, undefined)
    frame.push(typeof root === 'number' ? root : tree.frame[0] as number)
    parent.push(-1)
    if (root !== 'drop') became[0] = 0
  }
  for (let node = 1; node < size; node++) {
    const above = Math.max(0, became[tree.parent[node] as number] as number)
    const made = rewrite(tree.frame[node] as number, above === 0 ? undefined : frame[above])
    if (made === 'drop') continue
    if (made === 'fold') {
      became[node] = above
      continue
    }
    const key = above * frames.length + made
    let id = known.get(key)
    if (id === undefined) {
      frame.push(made)
      known.set(key, id = parent.push(above) - 1)
    }
    became[node] = id
  }
  const node = samples.node.map(node => became[node] as number)
  return keepSamples({
    ...profile,
    tree: { frame: Int32Array.from(frame), parent: Int32Array.from(parent) },
    samples: { node, duration: samples.duration }
  }, node => node >= 0)
}

/** The profile with only the samples of some nodes. */
export function keepSamples (profile: Profile, isKept: (node: number) => boolean): Profile {
  const { node, duration } = profile.samples
  const samples = { node: node.filter(isKept), duration: duration.filter((_, at) => isKept(node[at] as number)) }
  return { ...profile, samples }
}
