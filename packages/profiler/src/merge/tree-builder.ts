import type { CallTree } from '@geordi/profile'

/** Frames and parents are numbered below this, so that a pair of them is one exact number. */
const MOST = 2 ** 26

/** A call tree that grows: equal paths are one node. Node 0 is the root. */
export class TreeBuilder {
  readonly #frame: number[]
  readonly #parent: number[] = [-1]
  readonly #known = new Map<number, number>()

  constructor (rootFrame: number) {
    this.#frame = [rootFrame]
  }

  child (parent: number, frame: number): number {
    const key = parent * MOST + frame
    let node = this.#known.get(key)
    if (node === undefined) {
      this.#frame.push(frame)
      this.#known.set(key, node = this.#parent.push(parent) - 1)
    }
    return node
  }

  frame (node: number): number {
    return this.#frame[node] as number
  }

  parent (node: number): number {
    return this.#parent[node] as number
  }

  toTree (): CallTree {
    return { frame: Int32Array.from(this.#frame), parent: Int32Array.from(this.#parent) }
  }
}
