import { formatShare, formatTime } from '../numbers.ts'
import { add, largest } from '../sums.ts'
import { placeOfFrame, type Place } from '../waits/places.ts'
import type { Look } from '../waits/look.ts'
import { cpuTime } from './cpu.ts'
import type { Finding } from './finding.ts'
import { GARBAGE } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Memory that is given up as fast as it is taken. */
export function findGarbage (look: Look): Finding[] {
  const { profile: { tree }, kinds, self, wall } = look
  const time = self.reduce((sum, own, node) => kinds[tree.frame[node] as number] === 'gc' ? sum + own : sum, 0)
  const cpu = cpuTime(look)
  if (!isWorthTelling(look, time, GARBAGE) || time < GARBAGE.cpuShare * cpu) return []
  const places = allocators(look)
  const after = places[0] === undefined ? '' : `; it came most often after ${places[0].label}`
  return [{
    cause: 'garbage',
    title: `Collecting garbage: ${formatTime(time)}`,
    subject: '',
    evidence: [`${formatShare(time / cpu)} of the CPU time${after}`],
    numbers: { total: time, cpuShare: time / cpu },
    places,
    time,
    share: time / wall,
    advice: 'Make fewer objects that live for a while: work row by row instead of on whole lists, and look at what the heap holds (node --heap-prof).'
  }]
}

/** V8 tells no caller of the collector; whose function ran before wanted the memory. The application's own functions with the most of it. */
function allocators ({ profile, kinds }: Look): Place[] {
  const { tree, samples } = profile
  const times = new Map<number, number>()
  let before = -1
  samples.node.forEach((node, at) => {
    if (kinds[tree.frame[node] as number] !== 'gc') {
      if (kinds[tree.frame[node] as number] !== 'idle') before = node
      return
    }
    const own = ownAbove(node) ?? ownAbove(before)
    if (own !== undefined) add(times, own, samples.duration[at] as number)
  })
  const [worst] = largest(times)
  return worst === undefined ? [] : [placeOfFrame(profile, worst[0])]

  function ownAbove (node: number): number | undefined {
    for (let above = node; above >= 0; above = tree.parent[above] as number) {
      if (kinds[tree.frame[above] as number] === 'app') return tree.frame[above]
    }
    return undefined
  }
}
