import type { Frame, FrameKind } from '@geordi/profile'
import { formatShare, formatTime } from '../numbers.ts'
import { add, largest } from '../sums.ts'
import { placeOfFrame } from '../waits/places.ts'
import type { Look } from '../waits/look.ts'
import { cpuTime, isRecorder } from './cpu.ts'
import type { Finding } from './finding.ts'
import { GARBAGE } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Memory that is given up as fast as it is taken. */
export function findGarbage (look: Look): Finding[] {
  const { wall } = look
  const { time, allocators } = collections(look)
  const cpu = cpuTime(look)
  if (!isWorthTelling(look, time, GARBAGE) || time < GARBAGE.cpuShare * cpu) return []
  const [worst] = largest(allocators)
  if (worst === undefined) return []
  const place = placeOfFrame(look.profile, worst[0])
  return [{
    cause: 'garbage',
    title: `Collecting garbage: ${formatTime(time)}`,
    subject: '',
    evidence: [`${formatShare(time / cpu)} of the CPU time; it came most often after ${place.label}`],
    numbers: { total: time, cpuShare: time / cpu },
    places: [place],
    time,
    share: time / wall,
    advice: 'Make fewer objects that live for a while: work row by row instead of on whole lists, and look at what the heap holds (node --heap-prof).'
  }]
}

/**
 * The time of the collector, and of whose it is: V8 tells no caller of it, but whose function ran before wanted the memory. Of a package's function it is the
 * application's that had called it; where there is none, the package's own. What the recorder wanted is none of the run's.
 */
function collections ({ profile, kinds }: Look): { time: number, allocators: Map<number, number> } {
  const { frames, tree, samples } = profile
  const own = new Map<number, number>()
  const others = new Map<number, number>()
  let time = 0
  let before = -1
  samples.node.forEach((node, at) => {
    const frame = tree.frame[node] as number
    if (kinds[frame] !== 'gc') {
      if (kinds[frame] !== 'idle') before = node
      return
    }
    if (before >= 0 && isRecorder(frames[tree.frame[before] as number] as Frame)) return
    const duration = samples.duration[at] as number
    time += duration
    const allocator = above(node, 'app') ?? above(before, 'app')
    if (allocator !== undefined) return add(own, allocator, duration)
    const other = above(node, 'dependency') ?? above(before, 'dependency')
    if (other !== undefined) add(others, other, duration)
  })
  return { time, allocators: own.size > 0 ? own : others }

  function above (node: number, kind: FrameKind): number | undefined {
    for (let at = node; at >= 0; at = tree.parent[at] as number) {
      if (kinds[tree.frame[at] as number] === kind) return tree.frame[at]
    }
    return undefined
  }
}
