import type { Profile } from '@geordi/profile'
import { isFunction, type TreeTimes } from './function-times.ts'
import type { Children } from './tree-walk.ts'

/** Below this share of the time that is counted the heaviest callee is a matter of a few samples, so of chance. */
const LEAST_SHARE = 0.02

/** A callee of the chain so far: its nodes in the tree, in all contexts that the chain stands for. */
interface Step {
  readonly frame: number
  readonly nodes: number[]
  time: number
}

/**
 * Goes down the call tree from the root, always into the heaviest callee that is shown, with contexts kept: the time of a
 * step is that of the very chain so far, which a walk over the merged graph wouldn't know. O(tree nodes).
 *
 * @returns Frames in order; a frame comes several times where the chain recurs.
 */
export function criticalChain (profile: Profile, times: TreeTimes, isShown: (frame: number) => boolean, counted: number): number[] {
  if (profile.tree.parent.length === 0) return []
  const chain: number[] = []
  const { children } = times
  let nodes: readonly number[] = [0]
  let self = 0
  for (;;) {
    const next = heaviestCallee(profile, times, children, nodes, isShown)
    if (next === undefined || next.time < LEAST_SHARE * counted || next.time < self) return chain
    chain.push(next.frame)
    nodes = next.nodes
    self = nodes.reduce((sum, node) => sum + (times.self[node] as number), 0)
  }
}

function heaviestCallee ({ tree }: Profile, times: TreeTimes, { first, next }: Children, nodes: readonly number[],
  isShown: (frame: number) => boolean): Step | undefined {
  const steps = new Map<number, Step>()
  const waiting = nodes.map(node => first[node] as number)
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node < 0) continue
    waiting.push(next[node] as number)
    const frame = tree.frame[node] as number
    if (!isFunction(times.functions.kind[frame]) || !isShown(frame)) {
      waiting.push(first[node] as number)
      continue
    }
    const step = steps.get(frame) ?? { frame, nodes: [], time: 0 }
    steps.set(frame, step)
    step.nodes.push(node)
    step.time += times.subtree[node] as number
  }
  let heaviest: Step | undefined
  for (const step of steps.values()) if (step.time > 0 && (heaviest === undefined || step.time > heaviest.time)) heaviest = step
  return heaviest
}
