import type { Samples } from '@geordi/profile'
import { WAITING, type Pool, type Pools } from './pools.ts'
import type { Piece } from './timeline.ts'

/**
 * Shares each pool's time by its samples and lays it out along the timeline: the first sample's part on the first pieces of the pool, and so on.
 * The durations' sum is that of the pieces.
 *
 * @param idle The node for time in which nothing ran and nothing was waited for.
 */
export function shareTime (pieces: readonly Piece[], { pools, of }: Pools, idle: number): Samples {
  const nodes: number[] = []
  const durations: number[] = []
  const emit = (node: number, time: number) => {
    if (nodes.at(-1) === node) durations[durations.length - 1] = (durations.at(-1) as number) + time
    else if (time > 0) {
      nodes.push(node)
      durations.push(time)
    }
  }
  const spend = (piece: Piece, node: number, time: number) => {
    if (node !== WAITING) return emit(node, time)
    const open = piece.waits.reduce((sum, [, count]) => sum + count, 0)
    if (open === 0) return emit(idle, time)
    for (const [wait, count] of piece.waits) emit(wait, time * count / open)
  }

  const next = new Int32Array(pools.length)
  const left = new Float64Array(pools.length)
  const scale = pools.map(pool => pool.time / pool.weights.reduce((sum, weight) => sum + weight, 0))
  pools.forEach((pool, id) => { left[id] = (pool.weights[0] ?? 0) * (scale[id] as number) })
  pieces.forEach((piece, at) => {
    const id = of[at] as number
    const pool = pools[id] as Pool
    let time = piece.end - piece.start
    while (time > 0) {
      const sample = next[id] as number
      const isLast = sample >= pool.nodes.length - 1
      const part = isLast ? time : Math.min(time, left[id] as number)
      spend(piece, pool.nodes[sample] ?? pool.otherwise, part)
      time -= part
      left[id] = (left[id] as number) - part
      if (isLast || (left[id] as number) > 0) continue
      next[id] = sample + 1
      left[id] = (pool.weights[sample + 1] as number) * (scale[id] as number)
    }
  })
  return { node: Int32Array.from(nodes), duration: Float64Array.from(durations) }
}
