import type { CpuProfile } from '@geordi/profile'

/** Numbers that look random and are the same every time. */
function randomNumbers (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
}

const FUNCTIONS = 4000
const MOST_DEPTH = 120

/** A profile of the size that a request of a quarter of an hour gives: a tree like a program's, with recursion. */
export function largeProfile (nodes: number, samples: number): CpuProfile {
  const random = randomNumbers(1)
  const callFrame = (id: number) => ({
    functionName: id === 0 ? '(root)' : `function${id}`, scriptId: '1', url: id === 0 ? '' : `file:///srv/app/src/module${id % 90}.js`, lineNumber: id, columnNumber: 4
  })
  const tree = [{ id: 1, callFrame: callFrame(0), children: [] as number[] }]
  const functionOf = [0]
  const depth = [0]
  for (let at = 1; at < nodes; at++) {
    // Mostly below a recent node, so that the tree is deep as real ones are; callees are few for each function.
    let above = Math.max(0, at - 1 - random(random(4) === 0 ? at : 12))
    if ((depth[above] as number) > MOST_DEPTH) above = 0
    const name = 1 + ((functionOf[above] as number) * 7 + random(6)) % FUNCTIONS
    functionOf.push(name)
    depth.push((depth[above] as number) + 1)
    tree.push({ id: at + 1, callFrame: callFrame(name), children: [] })
    tree[above]?.children.push(at + 1)
  }
  const ids = Array.from({ length: samples }, () => 1 + random(nodes))
  return {
    nodes: tree,
    startTime: 0,
    endTime: samples * 1000,
    samples: ids,
    timeDeltas: Array.from({ length: samples }, () => 900 + random(200))
  } as unknown as CpuProfile
}
