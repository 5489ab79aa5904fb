import type { CallTree } from '@geordi/profile'

/** The children of each node as linked lists in two columns; -1 ends a list. */
export interface Children {
  readonly first: Int32Array
  readonly next: Int32Array
}

/** Turns the parent column around. Children come in their order in the tree. */
export function childrenOf (tree: CallTree): Children {
  const first = new Int32Array(tree.parent.length).fill(-1)
  const next = new Int32Array(tree.parent.length).fill(-1)
  for (let node = tree.parent.length - 1; node > 0; node--) {
    const parent = tree.parent[node] as number
    next[node] = first[parent] as number
    first[parent] = node
  }
  return { first, next }
}

/** Visits every node, callers first, and leaves it after all below it. It doesn't call itself: trees may be 100,000 deep. */
export function walk ({ first, next }: Children, enter: (node: number) => void, leave: (node: number) => void): void {
  if (first.length === 0) return
  const path = new Int32Array(first.length)
  let depth = 0
  enter(0)
  let node = first[0] as number
  while (depth >= 0) {
    if (node >= 0) {
      enter(node)
      path[++depth] = node
      node = first[node] as number
    } else {
      const done = path[depth--] as number
      leave(done)
      node = next[done] as number
    }
  }
}
