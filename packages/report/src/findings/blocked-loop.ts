import type { Frame, LoopBlock } from '@geordi/profile'
import { formatShare, formatTime, formatTimes } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import { placeOfFrame } from '../waits/places.ts'
import { busiestFunction, isRecorder } from './cpu.ts'
import { explainedTime } from './explained.ts'
import type { Finding } from './finding.ts'
import { BLOCKED } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Stretches in which the process answered nobody, unless other findings tell why. */
export function findBlockedLoop (look: Look, others: readonly Finding[]): Finding[] {
  const { profile, recorded, wall } = look
  // What the recorder did meanwhile wouldn't have blocked it.
  const timeOf = ({ start, end }: LoopBlock) => end - start - (recorded?.recorder.between(start, end) ?? 0)
  const blocks = (profile.waits?.blocks ?? []).filter(block => timeOf(block) >= BLOCKED.time)
  const time = blocks.reduce((sum, block) => sum + timeOf(block), 0)
  if (!isWorthTelling(look, time, BLOCKED)) return []
  if (explainedTime(others) >= BLOCKED.explained * time) return []
  const longest = Math.max(...blocks.map(timeOf))
  const busiest = busiestFunction(look, timesWithin(look, blocks))
  if (busiest === undefined) return []
  const place = placeOfFrame(profile, busiest.frame)
  return [{
    cause: 'blocked-loop',
    title: `The process answers nobody for ${formatTime(longest)}${blocks.length > 1 ? ' at a time' : ''}`,
    subject: '',
    evidence: [`it ran without a pause ${formatTimes(blocks.length)}, ${formatTime(time)} in all, ${formatShare(busiest.share)} of it in ${place.label}`],
    numbers: { count: blocks.length, total: time, max: longest },
    places: [place],
    time,
    share: time / wall,
    advice: 'Do the work in a worker thread, or in slices with setImmediate between them.'
  }]
}

/** For each node of the call tree its own time within the blocks, without what is nobody's: the recorder's, and garbage, of which V8 tells no caller. */
function timesWithin ({ profile: { frames, tree, samples, startTime }, kinds }: Look, blocks: readonly LoopBlock[]): Float64Array {
  const times = new Float64Array(tree.frame.length)
  let [time, block] = [startTime, 0]
  samples.node.forEach((node, at) => {
    const end = time + (samples.duration[at] as number)
    while (block < blocks.length && (blocks[block]?.end ?? 0) <= time) block++
    for (let next = block; next < blocks.length && (blocks[next]?.start ?? Infinity) < end; next++) {
      times[node] = (times[node] as number) + Math.min(end, blocks[next]?.end ?? 0) - Math.max(time, blocks[next]?.start ?? 0)
    }
    time = end
  })
  return times.map((time, node) => kinds[tree.frame[node] as number] === 'gc' || isRecorder(frames[tree.frame[node] as number] as Frame) ? 0 : time)
}
