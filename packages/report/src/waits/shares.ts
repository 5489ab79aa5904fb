import { WAIT_OUTCOMES, type Profile, type Waits } from '@geordi/profile'
import { add } from '../sums.ts'
import type { Clock } from './stretches.ts'

const OPEN = WAIT_OUTCOMES.indexOf('open')

/**
 * For each wait its share of the wall time, in microseconds: of each moment in which the run only waited, the open waits have equal parts. Those of one
 * frame of the call tree sum to that frame's time, so that a table agrees with the graph; what blocked the thread has none.
 *
 * @param waiting Tells how long the run only waited.
 */
export function sharesOf ({ tree, samples }: Profile, waits: Waits, waiting: Clock): Float64Array {
  const weights = weigh(waits, waiting)
  const times = new Map<number, number>()
  samples.node.forEach((node, at) => add(times, tree.frame[node] as number, samples.duration[at] as number))
  const frameOf = (wait: number) => (waits.operations[waits.operation[wait] as number] as Waits['operations'][number]).frame
  const sums = new Map<number, number>()
  const counts = new Map<number, number>()
  weights.forEach((weight, wait) => {
    add(sums, frameOf(wait), weight)
    add(counts, frameOf(wait), 1)
  })
  return weights.map((weight, wait) => {
    const frame = frameOf(wait)
    if (frame < 0) return 0
    const sum = sums.get(frame) as number
    const part = sum > 0 ? weight / sum : 1 / (counts.get(frame) as number)
    return (times.get(frame) ?? 0) * part
  })
}

/** As the merge shares them: those whose caller is unknown, that never ended, or that go on beside others count only where there is no other. */
function weigh ({ operations, operation, site, start, end, outcome }: Waits, waiting: Clock): Float64Array {
  const isCertain = (wait: number) => site[wait] as number >= 0 && outcome[wait] !== OPEN && operations[operation[wait] as number]?.aside !== true
  const waits = Array.from(operation.keys()).filter(wait => operations[operation[wait] as number]?.sync === false)
  const starts = waits.toSorted((a, b) => (start[a] as number) - (start[b] as number))
  const ends = waits.toSorted((a, b) => (end[a] as number) - (end[b] as number))
  const weights = new Float64Array(operation.length)
  const open = [0, 0]
  // What one wait of each class would have had since the beginning.
  const had = [0, 0]
  let [started, ended, time] = [0, 0, 0]
  while (ended < ends.length) {
    const opens = starts[started]
    const closes = ends[ended] as number
    const isStart = opens !== undefined && (start[opens] as number) <= (end[closes] as number)
    const wait = isStart ? opens : closes
    const now = (isStart ? start[wait] : end[wait]) as number
    const passed = waiting.between(time, now)
    time = now
    if (open[1] as number > 0) had[1] = (had[1] as number) + passed / (open[1] as number)
    else if (open[0] as number > 0) had[0] = (had[0] as number) + passed / (open[0] as number)
    const of = isCertain(wait) ? 1 : 0
    const step = isStart ? 1 : -1
    open[of] = (open[of] as number) + step
    weights[wait] = (weights[wait] as number) - step * (had[of] as number)
    if (isStart) started++
    else ended++
  }
  return weights
}
