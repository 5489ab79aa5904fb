import { classifier } from '../frame-kind.ts'
import type { Profile } from '../model.ts'

/** The samples of one call tree node. */
export interface StackTime {
  readonly node: number
  readonly samples: number
  /** Microseconds. */
  readonly time: number
}

/** The samples added up by stack, in the tree's order. Idle time is left out: these formats are of time on the processor. */
export function stackTimes ({ frames, tree, samples, run }: Profile): StackTime[] {
  const kindOf = classifier(run)
  const isIdle = frames.map(frame => kindOf(frame) === 'idle')
  const count = new Uint32Array(tree.parent.length)
  const time = new Float64Array(tree.parent.length)
  samples.node.forEach((node, at) => {
    if (isIdle[tree.frame[node] as number]) return
    count[node] = count[node] as number + 1
    time[node] = time[node] as number + (samples.duration[at] as number)
  })
  const sampled: StackTime[] = []
  count.forEach((samples, node) => { if (samples > 0) sampled.push({ node, samples, time: time[node] as number }) })
  return sampled
}

/** The frames of a node's stack, the innermost first, without the root; a sample of the root itself has the root alone. */
export function stackOf ({ tree }: Profile, node: number): number[] {
  const stack: number[] = []
  for (let at = node; at > 0; at = tree.parent[at] as number) stack.push(tree.frame[at] as number)
  return stack.length > 0 ? stack : [tree.frame[node] as number]
}
