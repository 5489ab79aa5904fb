import type { Profile } from '@geordi/profile'
import type { Paths } from './paths.ts'
import type { Placing } from './placing.ts'
import type { Piece } from './timeline.ts'

/** Where nothing ran: to be shared among the piece's own open waits. */
export const WAITING = -1

/** So near an edge (in microseconds) a sample may belong to the neighbour: V8's stamp is not taken quite when the stack is. */
const EDGE = 200
/** So many neighbours are looked at. */
const NEIGHBOURS = 6

/** All pieces of one kind, with the samples that tell what their time was spent on. */
export interface Pool {
  time: number
  /** Nodes, or {@link WAITING}, and for how much each counts, in the order of time. */
  readonly nodes: number[]
  readonly weights: number[]
  /** Where there is no sample. */
  readonly otherwise: number
  /** Nothing ran, and something was waited for. */
  readonly isWaiting: boolean
}

export interface Pools {
  readonly pools: readonly Pool[]
  /** For each piece its pool. */
  readonly of: Int32Array
}

/** What nobody is known to have called. */
export interface Places {
  readonly recorder: number
  readonly unknown: number
  /** From when on the recorder followed no continuations any more: the application's own are among it then. */
  readonly unfollowedSince: number
}

/**
 * Many pieces are shorter than the time between two samples. So the pieces of one path are taken together, and so are those with the same
 * waits; their time is exact, and their samples only tell how to share it.
 */
export function fillPools (profile: Profile, pieces: readonly Piece[], paths: Paths, placing: Placing, places: Places, interval: number): Pools {
  const pools: Pool[] = []
  const ids = new Map<string, number>()
  const of = new Int32Array(pieces.length)
  pieces.forEach((piece, at) => {
    const key = poolKey(piece, paths)
    let id = ids.get(key)
    if (id === undefined) {
      const otherwise = piece.record > 0 ? paths.node[piece.record] as number : piece.record < 0 ? places.recorder : WAITING
      id = pools.push({ time: 0, nodes: [], weights: [], otherwise, isWaiting: piece.record === 0 && piece.waits.length > 0 }) - 1
      ids.set(key, id)
    }
    of[at] = id
    const pool = pools[id] as Pool
    pool.time += piece.end - piece.start
  })

  const { node, duration } = profile.samples
  const idle = profile.frames.findIndex(frame => frame.url === '' && frame.name === '(idle)')
  let time = profile.startTime
  let at = 0
  // V8 tells no caller of its own work, such as collecting garbage: whose function ran before, in the same piece, called for it.
  let before = { piece: -1, node: -1 }
  let entryBefore = -1
  node.forEach((sampled, index) => {
    const gap = duration[index] as number
    time += gap
    while (at < pieces.length - 1 && (pieces[at] as Piece).end < time) at++
    const isIdle = profile.tree.frame[sampled] === idle
    const entry = placing.entry(sampled)
    const chosen = choose(at, time, sampled, isIdle)
    if (chosen < 0) return
    const piece = pieces[chosen] as Piece
    const pool = pools[of[chosen] as number] as Pool
    // What blocks the sampler too, as a long call of the system's does, has one sample for all its time. Where nothing is known to have run, a busy sample
    // after a long gap only says that the machine was busy, unless the same ran before as well.
    const isSame = entry >= 0 && entry === entryBefore
    entryBefore = entry
    const all = piece.record !== 0 || isIdle || isSame ? Math.min(time, piece.end) - Math.max(time - gap, piece.start) : 0
    const weight = Math.max(Math.min(gap, interval), all)
    const isWork = entry < 0
    const found = target(piece, sampled, isIdle)
    if (!isWork) before = { piece: chosen, node: found }
    pool.nodes.push(isWork && before.piece === chosen && found >= 0 ? placing.place(before.node, sampled) : found)
    pool.weights.push(weight)
  })
  pools.forEach(leaveToWaits)
  return { pools, of }

  function target (piece: Piece, sampled: number, isIdle: boolean): number {
    if (piece.record < 0) return places.recorder
    if (placing.isRecorder(sampled)) return places.recorder
    if (piece.record > 0) return placing.place(paths.node[piece.record] as number, sampled, piece.record)
    if (isIdle) return WAITING
    // A driver, mostly, with what has come in. The application's own code that isn't the request's is a timer's or a loop's from before it.
    const isOthers = piece.start < places.unfollowedSince && placing.isApplication(sampled)
    if (piece.next !== undefined && !isOthers) return placing.place(paths.node[piece.next.record] as number, sampled)
    return placing.place(places.unknown, sampled)
  }

  /** The piece that a sample belongs to; -1 for none. */
  function choose (at: number, time: number, sampled: number, isIdle: boolean): number {
    const entry = placing.entry(sampled)
    if (fits(at, entry, isIdle, sampled)) return at
    for (let distance = 1; distance <= NEIGHBOURS; distance++) {
      for (const other of [at - distance, at + distance]) {
        const piece = pieces[other]
        if (piece === undefined || piece.start > time + EDGE || piece.end < time - EDGE) continue
        if (fits(other, entry, isIdle, sampled)) return other
      }
    }
    return isIdle && (pieces[at]?.record ?? 0) !== 0 ? -1 : at
  }

  /** With waits open, being idle is likelier than between two callbacks. */
  function fits (at: number, entry: number, isIdle: boolean, sampled: number): boolean {
    const record = pieces[at]?.record ?? 0
    if (isIdle) return record === 0 && (pieces[at] as Piece).waits.length > 0
    if (record <= 0) return false
    if (entry < 0 || placing.begins(sampled)) return true
    return paths.continued(record, entry, false) >= 0
  }
}

/** A busy sample stands for no more than its own time: while something is waited for, what no sample tells of was waiting. */
function leaveToWaits ({ time, nodes, weights, isWaiting }: Pool): void {
  const left = time - weights.reduce((sum, weight) => sum + weight, 0)
  if (!isWaiting || left <= 0) return
  nodes.push(WAITING)
  weights.push(left)
}

function poolKey ({ record, waits }: Piece, paths: Paths): string {
  if (record > 0) return `at ${paths.node[record]} ${paths.top[record]}`
  if (record < 0) return 'recorder'
  return waits.length > 8 ? 'many' : waits.map(([node]) => node).sort((a, b) => a - b).join()
}
