import type { Frame, Profile, WaitOperation, Waits } from '@geordi/profile'
import { rewriteTree } from './rewrite-tree.ts'

/** What an operation is an example of. */
export interface WaitShape {
  readonly statement: string
  readonly target: string
}

/** Parts of a path that are values: numbers, UUIDs, hashes and other long identifiers, and names of files with a number of their own. */
const VALUE = /^(?:\d+|(?:[\w-]*[-_])?\d+\.[a-z]\w{1,4}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{12,}|(?=[\w-]*\d)[\w-]{16,})$/i

/** From so many on, the paths that one call has asked for are examples of one, whatever is at the places where they differ. */
const PATHS = 10

/** From so many on, operations of a shape have one frame: each by itself would have next to nothing of the time, and all of it would be shown nowhere. */
const ALIKE = 10

/** The operation without what is only a value in it: `GET /users/{id}` for each user's, a folder for each of its files. */
export function waitShape ({ kind, statement, target }: WaitOperation): WaitShape {
  switch (kind) {
    case 'http': return { statement: statement.split('/').map(part => VALUE.test(part) ? '{id}' : part.replace(/^[^?]+/, path => VALUE.test(path) ? '{id}' : path)).join('/'), target }
    case 'file': return { statement, target: target.replace(/[^/\\]*$/, '') }
    default: return { statement, target }
  }
}

const known = new WeakMap<Waits, readonly WaitShape[]>()

/** For each operation its shape; of the paths that one call has asked for also without what differs in them: `GET /users/{name}`. O(waits) the first time, then kept. */
export function waitShapes (waits: Waits): readonly WaitShape[] {
  let shapes = known.get(waits)
  if (shapes === undefined) known.set(waits, shapes = shapesOf(waits))
  return shapes
}

function shapesOf (waits: Waits): readonly WaitShape[] {
  const alone = waits.operations.map(waitShape)
  const shapes = [...alone]
  for (const ids of pathsOfOneCall(waits, alone)) {
    const paths = Array.from(new Set(ids.map(id => partsOf(alone[id] as WaitShape).path)), path => path.split('/'))
    if (paths.length < PATHS) continue
    const [first = []] = paths
    const common = first.map((part, at) => paths.every(path => path[at] === part) ? part : '{name}').join('/')
    for (const id of ids) {
      const { method, query } = partsOf(alone[id] as WaitShape)
      // An example of two things stays that of the first.
      if (shapes[id] === alone[id]) shapes[id] = { ...shapes[id] as WaitShape, statement: `${method} ${common}${query}` }
    }
  }
  return shapes
}

/** The operations of HTTP that one place in the code, reached in one way, has asked of one server, with paths of the same length. */
function pathsOfOneCall ({ operations, operation, site }: Waits, shapes: readonly WaitShape[]): Array<readonly number[]> {
  const calls = new Map<string, Set<number>>()
  operation.forEach((id, wait) => {
    if (operations[id]?.kind !== 'http' || (site[wait] as number) < 0) return
    const { method, path, query } = partsOf(shapes[id] as WaitShape)
    const key = [site[wait], method, path.split('/').length, query, shapes[id]?.target].join(' ')
    const ids = calls.get(key)
    if (ids === undefined) calls.set(key, new Set([id]))
    else ids.add(id)
  })
  return Array.from(calls.values(), ids => [...ids])
}

function partsOf ({ statement }: WaitShape): { method: string, path: string, query: string } {
  const [, method = '', path = '', query = ''] = /^(\S*) ?([^?]*)(.*)$/s.exec(statement) ?? []
  return { method, path, query }
}

/** The profile with one frame for all operations of a shape, where these are many; frames keep their indices. */
export function joinAlike (profile: Profile): Profile {
  const { waits } = profile
  if (waits === undefined) return profile
  const shapes = waitShapes(waits)
  const alike = new Map<string, number[]>()
  waits.operations.forEach(({ kind, frame }, id) => {
    if (frame < 0) return
    const { statement, target } = shapes[id] as WaitShape
    const name = `(wait) ${kind} ${statement} ${target}`
    const same = alike.get(name)
    if (same === undefined) alike.set(name, [frame])
    else same.push(frame)
  })
  const many = Array.from(alike).filter(([, { length }]) => length >= ALIKE)
  if (many.length === 0) return profile
  const frames = [...profile.frames]
  const joined = Int32Array.from(frames.keys())
  for (const [name, same] of many) {
    const first = same[0] as number
    frames[first] = { ...frames[first] as Frame, name }
    for (const frame of same) joined[frame] = first
  }
  const operations = waits.operations.map(operation => operation.frame < 0 ? operation : { ...operation, frame: joined[operation.frame] as number })
  return rewriteTree({ ...profile, frames, waits: { ...waits, operations } }, frame => joined[frame] as number)
}
