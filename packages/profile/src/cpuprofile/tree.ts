import { ProfileError } from '../errors.ts'
import type { CallTree, Frame } from '../model.ts'
import { fileUrlOf } from '../script-path.ts'
import { finite, isObject, type Json } from './format.ts'
import { IdTable } from './id-table.ts'

/** The call tree of a file, with what the reader of samples needs to find its nodes. */
export interface ImportedTree {
  /** The file's nodes, each at its index in the tree; the root may have been added. */
  readonly nodes: readonly Json[]
  /** True for the format older than the DevTools Protocol. */
  readonly legacy: boolean
  readonly frames: readonly Frame[]
  readonly tree: CallTree
  /** The tree's index of a node, by its id in the file; `undefined` for an id that isn't there. */
  readonly indexOf: (id: unknown) => number | undefined
}

const ROOT: Json = { id: undefined, callFrame: { functionName: '(root)', url: '', lineNumber: -1, columnNumber: -1 } }

/** Reads nodes and frames. Nothing here calls itself: a tree may be 100,000 deep. */
export function readTree (file: Json): ImportedTree {
  const legacy = !Array.isArray(file.nodes)
  const listed = legacy ? flatten(file.head) : checkNodes(file.nodes as unknown[])
  const positions = positionsOf(listed)
  const parents = parentsOf(listed, positions)
  const order = fromRootDownwards(listed, parents)
  const nodes = order.map(at => at < 0 ? ROOT : listed[at] as Json)
  const placeOf = new Int32Array(listed.length)
  order.forEach((at, index) => { if (at >= 0) placeOf[at] = index })
  const indexOf = (id: unknown) => {
    const at = positions.get(id)
    return at === undefined ? undefined : placeOf[at]
  }
  const parent = Int32Array.from(order, (at, index) => {
    if (index === 0) return -1
    const above = parents[at] as number
    return above < 0 ? 0 : placeOf[above] as number
  })
  const { frames, frameOf } = mergeFrames(nodes, linesFromOne(file))
  return { nodes, legacy, frames, tree: { frame: frameOf, parent }, indexOf }
}

/** The `head` format: every node holds its children. They get their ids as `children` instead. */
function flatten (head: unknown): Json[] {
  const flat: Json[] = []
  const waiting: Array<{ node: unknown, parent: number | undefined }> = [{ node: head, parent: undefined }]
  for (let at = 0; at < waiting.length; at++) {
    const { node, parent } = waiting[at] as typeof waiting[number]
    if (!isObject(node)) throw new ProfileError('GEORDI_PROFILE_NOT_CPUPROFILE', 'A node of the call tree isn\'t an object.')
    if (!('hitCount' in node) && 'selfSize' in node) {
      throw new ProfileError('GEORDI_PROFILE_NOT_CPUPROFILE', 'This is a heap profile: record CPU with "node --cpu-prof".')
    }
    const id = finite(node.id) ?? -1 - at
    flat.push({ ...node, id, parent, children: undefined })
    if (Array.isArray(node.children)) for (const child of node.children) waiting.push({ node: child, parent: id })
  }
  return flat
}

function checkNodes (nodes: readonly unknown[]): readonly Json[] {
  // An object that was handed over may have holes, which `map` would leave out.
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at]
    if (isObject(node) && finite(node.id) !== undefined) continue
    throw new ProfileError('GEORDI_PROFILE_NOT_CPUPROFILE', `Node ${at} has no number as its id: this isn't a V8 CPU profile.`)
  }
  return nodes as readonly Json[]
}

function positionsOf (nodes: readonly Json[]): IdTable {
  const positions = new IdTable(nodes.length)
  nodes.forEach(({ id }, index) => {
    if (positions.get(id) !== undefined) throw badTree(`two nodes have the id ${id}`)
    positions.set(id, index)
  })
  return positions
}

/** For each node the position of its caller, -1 for none; from `children`, or from `parent` where a writer prefers that. */
function parentsOf (nodes: readonly Json[], at: IdTable): Int32Array {
  const find = (id: unknown) => at.get(id) ?? fail(`it names a node ${id} that isn't there`)
  const parents = new Int32Array(nodes.length).fill(-1)
  nodes.forEach((node, index) => {
    if (node.parent !== undefined && node.parent !== null) parents[index] = find(node.parent)
  })
  nodes.forEach((node, index) => {
    if (!Array.isArray(node.children)) return
    for (const id of node.children) {
      const child = find(id)
      if (parents[child] !== -1 && parents[child] !== index) throw badTree(`node ${id} has two callers`)
      parents[child] = index
    }
  })
  return parents
}

/**
 * The nodes' positions, each after its caller, the root first; -1 stands for a root that had to be added
 * because the file has several tops. V8's own order already is like that, and then it's kept.
 */
function fromRootDownwards (nodes: readonly Json[], parents: Int32Array): number[] {
  const tops: number[] = []
  let inOrder = true
  parents.forEach((parent, index) => {
    if (parent < 0) tops.push(index)
    if (parent >= index) inOrder = false
  })
  const lone = tops.length === 1 ? tops[0] as number : undefined
  const hasRoot = lone !== undefined && (nodes.length === 1 || readName(nodes[lone] as Json) === '(root)')
  if (hasRoot && lone === 0 && inOrder) return nodes.map((_, index) => index)
  const children: number[][] = nodes.map(() => [])
  parents.forEach((parent, index) => { if (parent >= 0) children[parent]?.push(index) })
  const order = hasRoot ? [lone] : [-1, ...tops]
  for (let at = hasRoot ? 0 : 1; at < order.length; at++) {
    for (const child of children[order[at] as number] as number[]) order.push(child)
  }
  if (order.length - (hasRoot ? 0 : 1) < nodes.length) throw badTree('some of its calls go round in a circle')
  return order
}

/**
 * What to add to the file's lines to count from 1. The DevTools Protocol counts from 0. v8-profiler-next and
 * Chrome's format before the protocol count from 1; the former can be told by its `typeId` and by script ids that are
 * numbers (https://github.com/hyj1991/v8-profiler-next). With the key `geordi` the file is Geordi's own: from 0.
 */
function linesFromOne (file: Json): (node: Json) => 0 | 1 {
  const addon = file.typeId !== undefined && file.geordi === undefined
  return node => {
    if (!isObject(node.callFrame)) return 0
    return addon && typeof node.callFrame.scriptId === 'number' ? 0 : 1
  }
}

function mergeFrames (nodes: readonly Json[], lineOffset: (node: Json) => number) {
  const frames: Frame[] = []
  const frameOf = new Int32Array(nodes.length)
  // By script and place, where nearly always one function is: to look a text up that has the name as well took twice as long.
  const scripts = new Map<string, Map<number | string, number>>()
  const placesOf = (url: string) => {
    let places = scripts.get(url)
    if (places === undefined) {
      const whole = asUrl(url)
      scripts.set(url, places = scripts.get(whole) ?? new Map())
      scripts.set(whole, places)
    }
    return places
  }
  nodes.forEach((node, index) => {
    const frame = readFrame(node, lineOffset(node))
    const { name, line, column } = frame
    const places = placesOf(frame.url)
    // Numbers that no script has would fall together.
    let key: number | string = line < LARGEST && column < LARGEST ? line * LARGEST + column : `${line}:${column}`
    let at = places.get(key)
    if (at !== undefined && frames[at]?.name !== name) {
      key = `${line}:${column} ${name}`
      at = places.get(key)
    }
    if (at === undefined) {
      at = frames.push({ ...frame, url: asUrl(frame.url) }) - 1
      places.set(key, at)
    }
    frameOf[index] = at
  })
  return { frames, frameOf }
}

const LARGEST = 2 ** 26

function readName (node: Json): unknown {
  return isObject(node.callFrame) ? node.callFrame.functionName : node.functionName
}

/** With the script's URL as it is in the file. */
function readFrame (node: Json, offset: number): Frame {
  const from = isObject(node.callFrame) ? node.callFrame : node
  const name = typeof from.functionName === 'string' ? from.functionName : ''
  return {
    // Chrome once wrote these words for what V8 leaves empty.
    name: name === '(anonymous function)' ? '' : name,
    url: typeof from.url === 'string' ? from.url : '',
    line: positive(from.lineNumber, offset),
    column: positive(from.columnNumber, offset)
  }
}

/** V8 tells CommonJS scripts by their path to some of its callers, ES modules by a `file:` URL; the model has URLs. */
function asUrl (url: string): string {
  const path = /^[A-Za-z]:[\\/]/.test(url) ? `/${url.replaceAll('\\', '/')}` : url
  return path.startsWith('/') ? fileUrlOf(path) : url
}

function positive (value: unknown, offset: number): number {
  const number = finite(value)
  return number === undefined || number < 0 || !Number.isInteger(number) ? 0 : number + offset
}

function badTree (what: string): ProfileError {
  return new ProfileError('GEORDI_PROFILE_BAD_TREE', `The profile's call tree is damaged: ${what}. Record it again.`)
}

function fail (what: string): never {
  throw badTree(what)
}
