import type { LoopBlock, Profile } from '@geordi/profile'
import { formatTime, plural } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import { placeOfFrame } from '../waits/places.ts'
import { innermostOwn } from './cpu.ts'
import { explainedTime } from './explained.ts'
import type { Finding } from './finding.ts'
import { BLOCKED } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Stretches in which the process answered nobody, unless other findings tell why. */
export function findBlockedLoop (look: Look, others: readonly Finding[]): Finding[] {
  const { profile, wall } = look
  const blocks = (profile.waits?.blocks ?? []).filter(({ start, end }) => end - start >= BLOCKED.time)
  const time = blocks.reduce((sum, { start, end }) => sum + end - start, 0)
  if (!isWorthTelling(look, time, BLOCKED)) return []
  if (explainedTime(others) >= BLOCKED.explained * time) return []
  const longest = Math.max(...blocks.map(({ start, end }) => end - start))
  const frame = innermostOwn(look, timesWithin(profile, blocks))
  const places = frame === undefined ? [] : [placeOfFrame(profile, frame)]
  const where = places[0] === undefined ? '' : `, most of it in ${places[0].label}`
  return [{
    cause: 'blocked-loop',
    title: `The process answers nobody for ${formatTime(longest)}${blocks.length > 1 ? ' at a time' : ''}`,
    subject: '',
    evidence: [`it ran without a pause ${plural(blocks.length, 'time')}, ${formatTime(time)} in all${where}`],
    numbers: { count: blocks.length, total: time, max: longest },
    places,
    time,
    share: time / wall,
    advice: 'Do the work in a worker thread, or in slices with setImmediate between them.'
  }]
}

/** For each node of the call tree its own time within the blocks. */
function timesWithin ({ tree, samples, startTime }: Profile, blocks: readonly LoopBlock[]): Float64Array {
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
  return times
}
