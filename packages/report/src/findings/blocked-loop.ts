import type { Profile } from '@geordi/profile'
import { formatTime, plural } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import { placeOfFrame } from '../waits/places.ts'
import type { Finding } from './finding.ts'
import { BLOCKED } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Whoever names a cause for which the thread runs, as far as that is known. */
const EXPLAINS: ReadonlySet<string> = new Set(['regex', 'sync-io', 'garbage', 'module-loading', 'serialising'])

/** Stretches in which the process answered nobody, unless other findings tell why. */
export function findBlockedLoop (look: Look, others: readonly Finding[]): Finding[] {
  const { profile, wall } = look
  const blocks = (profile.waits?.blocks ?? []).filter(({ start, end }) => end - start >= BLOCKED.time)
  const time = blocks.reduce((sum, { start, end }) => sum + end - start, 0)
  if (!isWorthTelling(look, time, BLOCKED)) return []
  const explained = others.filter(({ cause }) => EXPLAINS.has(cause)).reduce((sum, { time }) => sum + time, 0)
  if (explained >= BLOCKED.explained * time) return []
  const longest = Math.max(...blocks.map(({ start, end }) => end - start))
  const frame = busiest(look, blocks)
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

/** The innermost of the application's own functions that has most of the blocks' time. */
function busiest ({ profile, kinds }: Look, blocks: NonNullable<NonNullable<Profile['waits']>['blocks']>): number | undefined {
  const { tree, samples, startTime } = profile
  const times = new Float64Array(tree.frame.length)
  let sum = 0
  let [time, block] = [startTime, 0]
  samples.node.forEach((node, at) => {
    const end = time + (samples.duration[at] as number)
    while (block < blocks.length && (blocks[block]?.end ?? 0) <= time) block++
    for (let next = block; next < blocks.length && (blocks[next]?.start ?? Infinity) < end; next++) {
      const within = Math.min(end, blocks[next]?.end ?? 0) - Math.max(time, blocks[next]?.start ?? 0)
      times[node] = (times[node] as number) + within
      sum += within
    }
    time = end
  })
  // Children come after their parents.
  for (let node = times.length - 1; node > 0; node--) {
    const parent = tree.parent[node] as number
    times[parent] = (times[parent] as number) + (times[node] as number)
  }
  let found: number | undefined
  times.forEach((time, node) => {
    if (time >= MOST * sum && kinds[tree.frame[node] as number] === 'app') found = tree.frame[node]
  })
  return found
}

const MOST = 0.6
