import type { Profile } from '@geordi/profile'

/** What a walk over every sample's stack finds, the slow and obvious way; keys are indices of frames. */
export interface NaiveTimes {
  readonly self: Map<number, number>
  readonly total: Map<number, number>
  /** `caller callee` to time. */
  readonly calls: Map<string, number>
}

/** Knows nothing of the tree beyond «a node has a parent», and looks at each sample alone. Idle samples are left out. */
export function naiveTimes ({ tree, samples, frames }: Profile): NaiveTimes {
  const times: NaiveTimes = { self: new Map(), total: new Map(), calls: new Map() }
  samples.node.forEach((leaf, at) => {
    const stack: number[] = []
    for (let node = leaf; node >= 0; node = tree.parent[node] as number) stack.unshift(tree.frame[node] as number)
    const duration = samples.duration[at] as number
    const inner = stack.at(-1) as number
    if (frames[inner]?.name === '(idle)' && frames[inner]?.url === '') return
    add(times.self, inner, duration)
    for (const frame of new Set(stack)) add(times.total, frame, duration)
    const calls = stack.slice(1).map((callee, at) => `${stack[at]} ${callee}`)
    for (const call of new Set(calls)) add(times.calls, call, duration)
  })
  return times
}

function add<K> (map: Map<K, number>, key: K, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value)
}
