import type { Profile } from '@geordi/profile'
import type { Paths } from './paths.ts'
import type { Role, Roles } from './roles.ts'
import type { TreeBuilder } from './tree-builder.ts'

const MOST = 2 ** 26
const NO_RECORD = -1

/** Puts the stacks of CPU samples under the paths of the records in whose time they were taken. */
export class Placing {
  readonly #profile: Profile
  readonly #tree: TreeBuilder
  readonly #roles: Roles
  readonly #placed = new Map<number, Map<number, number>>()
  readonly #paths: Paths
  /** For each node of the profile the frame of its outermost function that is code; -1 where nothing of that kind is in its stack. */
  readonly #entry: Int32Array
  /** For each node: 1 where its stack has a boundary. */
  readonly #crossed: Uint8Array
  /** For each node: 1 where TypeScript's helper is at the outer end, which calls what it goes on with anew. */
  readonly #helped: Uint8Array
  /** For each node: 1 where the recorder itself was at work. */
  readonly #ours: Uint8Array

  constructor (profile: Profile, tree: TreeBuilder, roles: Roles, paths: Paths) {
    this.#paths = paths
    this.#profile = profile
    this.#tree = tree
    this.#roles = roles
    const size = profile.tree.parent.length
    this.#entry = new Int32Array(size).fill(-1)
    this.#crossed = new Uint8Array(size)
    this.#helped = new Uint8Array(size)
    this.#ours = new Uint8Array(size)
    for (let node = 1; node < size; node++) {
      const parent = profile.tree.parent[node] as number
      const role = this.#role(node)
      this.#crossed[node] = role === 'boundary' ? 1 : this.#crossed[parent] as number
      const isWithin = (role === 'base' || this.#isNodes(node)) && this.#ours[parent] === 1 && this.#role(parent) !== 'wrapper'
      this.#ours[node] = role === 'recorder' || role === 'wrapper' || isWithin ? 1 : 0
      const above = this.#entry[parent] as number
      this.#helped[node] = role === 'boundary' ? 0 : this.#helped[parent] === 1 || (role === 'helper' && above < 0) ? 1 : 0
      this.#entry[node] = role === 'boundary' ? -1 : above >= 0 || role !== 'code' ? above : profile.tree.frame[node] as number
    }
  }

  entry (node: number): number {
    return this.#entry[node] as number
  }

  /** Whether code of the application's own is at the outer end, neither a package's nor Node's. */
  isApplication (node: number): boolean {
    const url = this.#profile.frames[this.entry(node)]?.url
    return url !== undefined && !url.startsWith('node:') && !url.includes('/node_modules/')
  }

  /** Whether it begins anew, and mostly no function of its record's goes on. */
  begins (node: number): boolean {
    return this.#crossed[node] === 1 || this.#helped[node] === 1
  }

  isRecorder (node: number): boolean {
    return this.#ours[node] === 1
  }

  /**
   * The node of the new tree for a stack of the profile, under a path.
   * @param continuing The record in whose name it runs: its function may go on, and is there already.
   */
  place (path: number, node: number, continuing = NO_RECORD): number {
    const chain: number[] = []
    const { parent } = this.#profile.tree
    let at = node
    let placed: number | undefined
    const top = continuing === NO_RECORD ? 0 : this.#paths.top[continuing] as number
    const known = this.#memory(path, top)
    while (at > 0 && (placed = known.get(at)) === undefined && this.#role(at) !== 'boundary') {
      chain.push(at)
      at = parent[at] as number
    }
    // Whether something of the stack has its place already: what comes next is then called by it.
    let isInside = placed !== undefined && this.#entry[at] as number >= 0
    const [isCut, isHelped] = [this.#crossed[node] === 1, this.#helped[node] === 1]
    let result = placed ?? path
    for (const below of chain.reverse()) {
      const frame = this.#profile.tree.frame[below] as number
      const role = this.#role(below)
      if (role === 'code' || (role === 'base' && (isInside || isShown(this.#profile.frames[frame]?.name)))) {
        const same = isInside || isCut || role === 'base' || top === 0 ? -1 : this.#paths.continued(continuing, frame, isHelped)
        result = same >= 0 ? same : this.#tree.child(result, frame)
        if (role === 'code') isInside = true
      }
      known.set(below, result)
    }
    return result
  }

  /** Places found before; a record that borrowed its stack may go on in a caller of its path. */
  #memory (path: number, top: number): Map<number, number> {
    const key = path * MOST + top
    let known = this.#placed.get(key)
    if (known === undefined) this.#placed.set(key, known = new Map())
    return known
  }

  #isNodes (node: number): boolean {
    return this.#profile.frames[this.#profile.tree.frame[node] as number]?.url.startsWith('node:') === true
  }

  #role (node: number): Role {
    return this.#roles.of(this.#profile.tree.frame[node] as number)
  }
}

/** V8's words for what isn't JavaScript stay to be seen; the functions that run its queues don't. */
function isShown (name: string | undefined): boolean {
  return name === '(garbage collector)' || name === '(program)'
}
