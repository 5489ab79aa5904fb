import { ProfileError } from '../errors.ts'
import type { Samples } from '../model.ts'
import { finite, type Json } from './format.ts'

/** Samples and when the first one's gap begins, in microseconds. */
export interface TimedSamples {
  readonly samples: Samples
  readonly startTime: number
}

/** V8's own default interval, for files that tell neither how long they are nor when a sample was taken. */
const DEFAULT_INTERVAL = 1000

/** Four hours and a half at V8's default interval. A file that counts more hits would only exhaust the memory. */
const MAX_HITS = 2 ** 24

/** Reads `samples` and their times; `endTime` serves only files without times. */
export function readSamples (file: Json, nodes: readonly Json[], indexOf: (id: unknown) => number | undefined,
  startTime: number, endTime: number): TimedSamples {
  if (!Array.isArray(file.samples)) return fromHitCounts(nodes, startTime, endTime)
  const node = readNodes(file.samples, indexOf)
  if (Array.isArray(file.timeDeltas)) return { samples: fromDeltas(node, file.timeDeltas), startTime }
  if (Array.isArray(file.timestamps)) return { samples: fromTimes(node, numbers(file.timestamps, node.length), startTime), startTime }
  return { samples: { node, duration: evenly(node.length, startTime, endTime) }, startTime }
}

function readNodes (ids: readonly unknown[], indexOf: (id: unknown) => number | undefined): Int32Array {
  const nodes = new Int32Array(ids.length)
  for (let at = 0; at < ids.length; at++) {
    nodes[at] = indexOf(ids[at]) ?? fail(`sample ${at} is of a node ${String(ids[at])} that isn't there`)
  }
  return nodes
}

/**
 * A delta is the gap that ends at its sample. V8 takes samples from two threads and may write a later one first
 * (its delta is then negative; DevTools sorts them too, CPUProfileDataModel.sortSamples); clamping that to 0 would make the sum longer than the
 * recording, so the samples are ordered by time and the gaps taken anew. Only a sample before the start is clamped.
 */
function fromDeltas (node: Int32Array, deltas: readonly unknown[]): Samples {
  const duration = numbers(deltas, node.length)
  if (duration.every(delta => delta >= 0)) return { node, duration }
  let now = 0
  const times = duration.map(delta => {
    now += delta
    return now
  })
  return fromTimes(node, times, 0)
}

function fromTimes (node: Int32Array, times: Float64Array, startTime: number): Samples {
  const order = Array.from(node.keys()).sort((a, b) => (times[a] as number) - (times[b] as number))
  let before = startTime
  const duration = Float64Array.from(order, at => {
    const gap = Math.max(0, (times[at] as number) - before)
    before += gap
    return gap
  })
  return { node: Int32Array.from(order, at => node[at] as number), duration }
}

/** The oldest format counts how often each node was hit and keeps no order: one sample a hit, evenly long. */
function fromHitCounts (nodes: readonly Json[], startTime: number, endTime: number): TimedSamples {
  const hits = nodes.map(node => Math.max(0, Math.trunc(finite(node.hitCount) ?? 0)))
  const all = hits.reduce((sum, count) => sum + count, 0)
  if (all > MAX_HITS) fail(`it counts ${all} hits`)
  const node = new Int32Array(all)
  let at = 0
  hits.forEach((count, index) => {
    node.fill(index, at, at + count)
    at += count
  })
  return { samples: { node, duration: evenly(all, startTime, endTime) }, startTime }
}

function evenly (count: number, startTime: number, endTime: number): Float64Array {
  return new Float64Array(count).fill(endTime > startTime ? (endTime - startTime) / count : DEFAULT_INTERVAL)
}

/** The part of the samples in the window; a gap astride one of its edges is cut there. */
export function trimSamples ({ samples, startTime }: TimedSamples, window: { start: number, end: number }): TimedSamples {
  const node: number[] = []
  const duration: number[] = []
  let begin = startTime
  samples.duration.forEach((gap, at) => {
    const end = begin + gap
    const inside = Math.min(end, window.end) - Math.max(begin, window.start)
    if (inside > 0 || (inside === 0 && gap === 0)) {
      node.push(samples.node[at] as number)
      duration.push(inside)
    }
    begin = end
  })
  return {
    samples: { node: Int32Array.from(node), duration: Float64Array.from(duration) },
    startTime: Math.min(Math.max(startTime, window.start), Math.max(startTime, begin))
  }
}

/** The first `count` values, which must be numbers. */
function numbers (values: readonly unknown[], count: number): Float64Array {
  if (values.length < count) fail(`it has ${count} samples but ${values.length} times`)
  const column = new Float64Array(count)
  for (let at = 0; at < count; at++) column[at] = finite(values[at]) ?? fail(`the time of sample ${at} isn't a number`)
  return column
}

function fail (what: string): never {
  throw new ProfileError('GEORDI_PROFILE_BAD_SAMPLES', `The profile's samples are damaged: ${what}. Record it again.`)
}
