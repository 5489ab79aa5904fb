import { CUT, FLAG, LEVEL, type WaitRecording } from '@geordi/waits/recording'
import type { CallSite } from '@geordi/profile'
import type { Roles } from './roles.ts'
import type { TreeBuilder } from './tree-builder.ts'

/** A recorded stack without what is no caller, the outermost first. */
interface Steps {
  /** Indices of the recording's places. */
  readonly places: readonly number[]
  /** It was called back. */
  readonly isCut: boolean
  /** TypeScript's helper called its generator, for the first time or to go on. */
  readonly isHelped: boolean
  /** For each async function in it, the innermost first, how many of the places lead to it. */
  readonly levels: readonly number[]
  /** So many of them, the first ones, are functions by themselves; the others are those of which a generator is the body. */
  readonly plain: number
  /** All of it is Node's own code. */
  readonly isNodes: boolean
}

/** So many records back a repeated callback is looked for. */
const LOOK_BACK = 16

/** Where each record is: as a node of the tree, with its callers beyond `await` and callbacks, and as the lines of these calls. */
export class Paths {
  /** For each record the node of the function that goes on. */
  readonly node: Int32Array
  /** For each record the node of its stack's innermost function: another only where the stack was borrowed from a callee. */
  readonly top: Int32Array
  /** For each record the index in `sites` of its innermost line; -1 for none. */
  readonly site: Int32Array
  readonly sites: CallSite[] = []
  readonly #topSite: Int32Array
  readonly #recording: WaitRecording
  readonly #tree: TreeBuilder
  readonly #frameOf: readonly number[]
  readonly #steps: readonly Steps[]
  readonly #siteIds = new Map<string, number>()

  /** @param frameOf For each function of the recording its frame. */
  constructor (recording: WaitRecording, tree: TreeBuilder, frameOf: readonly number[], roles: Roles) {
    this.#recording = recording
    this.#tree = tree
    this.#frameOf = frameOf
    this.#steps = recording.stacks.map(stack => this.#stepsOf(stack, roles))
    const { parent, stack } = recording.records
    this.node = new Int32Array(parent.length)
    this.top = new Int32Array(parent.length)
    this.site = new Int32Array(parent.length).fill(-1)
    this.#topSite = new Int32Array(parent.length).fill(-1)
    // A record's parent has a smaller number.
    for (let record = 1; record < parent.length; record++) {
      const id = stack[record] as number
      const above = Math.max(0, parent[record] as number)
      const again = this.#repeated(record)
      if (again >= 0) this.#copy(again, record)
      else if (id < 0) this.#copy(above, record)
      else this.#join(record, above, this.#steps[id] as Steps)
    }
  }

  /**
   * The node in which a function goes on that runs in the record's name: that of the record, or, where its stack was borrowed, one of the callers
   * that the promise was passed on to, or a callee. -1 where the function is another, and is called from the record.
   *
   * @param isHelped TypeScript's helper calls it, a generator. That goes on as well where it is in a stack that was borrowed.
   */
  continued (record: number, frame: number, isHelped: boolean): number {
    const tree = this.#tree
    const node = this.node[record] as number
    if (!isHelped && node > 0 && tree.frame(node) === frame) return node
    if ((this.#flags(record) & FLAG.borrowed) === 0) return -1
    const top = this.top[record] as number
    if (isHelped) {
      const generator = this.#calledBy(node, top)
      if (generator > 0 && tree.frame(generator) === frame) return generator
    }
    for (const from of [node, top]) {
      for (let at = from; at > 0; at = tree.parent(at)) if (tree.frame(at) === frame) return at
    }
    return -1
  }

  /** What a node calls on the way to another one below it; -1 where it is that one. */
  #calledBy (node: number, below: number): number {
    let called = -1
    for (let at = below; at !== node && at > 0; at = this.#tree.parent(at)) called = at
    return called
  }

  #flags (record: number): number {
    return this.#recording.records.flags[record] ?? 0
  }

  /** How many async functions further out than its stack's innermost the one is that waits. */
  #level (record: number): number {
    return Math.floor(this.#flags(record) / LEVEL)
  }

  #copy (from: number, to: number): void {
    this.node[to] = this.node[from] as number
    this.top[to] = this.top[from] as number
    this.site[to] = this.site[from] as number
    this.#topSite[to] = this.#topSite[from] as number
  }

  /** The synchronous part of a record's stack is joined to the path of the record whose code it ran in. */
  #join (record: number, above: number, { places, isCut, isHelped, levels, plain }: Steps): void {
    const tree = this.#tree
    let node = this.node[above] as number
    let site = this.site[above] as number
    let at = 0
    const level = Math.min(this.#level(record), levels.length - 1)
    const length = levels[level] ?? places.length
    const first = places[0]
    if (first !== undefined && !isCut) {
      const found = this.continued(above, this.#frame(first), isHelped)
      if (found >= 0) {
        // The same function goes on: it is there already, at another line now.
        const caller = this.#callerSite(above, found)
        if (length === 0) this.#set(record, tree.parent(found), this.#inBody(caller, first))
        site = this.#site(caller, first)
        node = found
        at = 1
      }
    }
    for (; at < places.length; at++) {
      const place = places[at] as number
      if (at === length) this.#set(record, node, level < plain ? site : this.#inBody(site, place))
      node = tree.child(node, this.#frame(place))
      site = this.#site(site, place)
    }
    if (length >= places.length) this.#set(record, node, site)
    this.top[record] = node
    this.#topSite[record] = site
  }

  #set (record: number, node: number, site: number): void {
    this.node[record] = node
    this.site[record] = site
  }

  /** The line from which the function of a node was called, at or above a record's innermost. */
  #callerSite (record: number, node: number): number {
    let site = this.#topSite[record] as number
    for (let at = this.top[record] as number; at !== node && at > 0; at = this.#tree.parent(at)) site = this.#siteAbove(site)
    return this.#siteAbove(site)
  }

  /**
   * A callback that hands over itself again, in a circle, is the same call each time: else its path would grow for ever. Of a stack that was borrowed another
   * function waits than the one whose it is. What Node hands over itself, for each stream the same, is no circle where the application has come between.
   */
  #repeated (record: number): number {
    const { parent, stack } = this.#recording.records
    const id = stack[record] as number
    const steps = this.#steps[id]
    if (steps?.isCut !== true || steps.places.length === 0) return -1
    let above = parent[record] as number
    for (let count = 0; count < LOOK_BACK && above > 0; count++) {
      if (stack[above] === id && this.#level(above) === this.#level(record)) return above
      if (steps.isNodes && this.#steps[stack[above] as number]?.isNodes === false) return -1
      above = parent[above] as number
    }
    return -1
  }

  #stepsOf (stack: readonly number[], roles: Roles): Steps {
    const isCut = stack.at(-1) === CUT
    const places = isCut ? stack.slice(0, -1) : [...stack]
    places.reverse()
    const role = (place: number) => roles.of(this.#frame(place))
    const first = isCut ? 0 : places.findIndex(place => role(place) !== 'base')
    const start = first < 0 ? places.length : first
    const isHelped = start < places.length && role(places[start] as number) === 'helper'
    const code: number[] = []
    const helped: number[] = []
    places.slice(start).forEach((place, at, all) => {
      if (role(place) !== 'helper') code.push(place)
      else if (at === 0 || role(all[at - 1] as number) !== 'helper') helped.unshift(code.length)
    })
    // Of helped functions the one that called the helper is the async one; of those that its generator called each may be, and those that aren't are told by
    // who goes on.
    const generator = (helped[0] ?? -1) + 1
    const plain = code.slice(generator).map((_, at) => code.length - at)
    return { places: code, isCut, isHelped, levels: [...plain, ...helped], plain: plain.length, isNodes: code.every(place => this.#isNodes(place)) }
  }

  #frame (place: number): number {
    const [functionIndex] = this.#recording.places[place] as [number, number, number]
    return this.#frameOf[functionIndex] as number
  }

  #isNodes (place: number): boolean {
    const [functionIndex] = this.#recording.places[place] as [number, number, number]
    return this.#recording.functions[functionIndex]?.[1].startsWith('node:') === true
  }

  #siteAbove (site: number): number {
    return this.sites[site]?.parent ?? -1
  }

  /** The line in a function's body, where that is a generator which a helper calls: it is the one that was written in the function. */
  #inBody (site: number, place: number): number {
    const { frame, parent } = this.sites[site] ?? {}
    return frame === undefined || parent === undefined ? site : this.#site(parent, place, frame)
  }

  #site (parent: number, place: number, frame = this.#frame(place)): number {
    const key = `${parent} ${place} ${frame}`
    let id = this.#siteIds.get(key)
    if (id === undefined) {
      const [, line, column] = this.#recording.places[place] as [number, number, number]
      id = this.sites.push({ frame, line, column, parent }) - 1
      this.#siteIds.set(key, id)
    }
    return id
  }
}
