import { formatShare, formatTime } from '../numbers.ts'
import { add, largest } from '../sums.ts'
import type { Look } from '../waits/look.ts'
import { placeOfFrame } from '../waits/places.ts'
import { innermostOwn } from './cpu.ts'
import { explainedTime } from './explained.ts'
import type { Finding } from './finding.ts'
import { COMPUTING } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** A request that takes long because its own code computes, if nothing else tells why. In slices it blocks nobody, and takes as long. Of a CPU profile alone it would say nothing new. */
export function findComputing (look: Look, others: readonly Finding[]): Finding[] {
  const { profile, kinds, self, wall } = look
  const { tree } = profile
  /** For each node whether one of the application's functions is there or called what is. */
  const isOwn = new Uint8Array(tree.frame.length)
  const times = self.map((time, node) => {
    const kind = kinds[tree.frame[node] as number]
    isOwn[node] = kind === 'app' || (node > 0 && isOwn[tree.parent[node] as number] === 1) ? 1 : 0
    return isOwn[node] === 1 && kind !== 'idle' ? time : 0
  })
  const time = times.reduce((sum, time) => sum + time, 0)
  if (look.recorded === undefined || !isWorthTelling(look, time, COMPUTING) || others.some(({ cause }) => cause === 'blocked-loop') || explainedTime(others) >= COMPUTING.explained * time) return []
  const frame = innermostOwn(look, times)
  const places = frame === undefined ? [] : [placeOfFrame(profile, frame)]
  const own = new Map<number, number>()
  self.forEach((time, node) => { if (kinds[tree.frame[node] as number] === 'app') add(own, tree.frame[node] as number, time) })
  const busiest = largest(own).slice(0, 2).filter(([, own], at) => at === 0 || own >= COMPUTING.second * time).map(([frame, time]) => `${placeOfFrame(profile, frame).label} ${formatTime(time)}`)
  return [{
    cause: 'computing',
    title: `The code itself computes for ${formatTime(time)}`,
    subject: '',
    evidence: [`${formatShare(time / wall)} of the time${places[0] === undefined ? '' : `, most of it in ${places[0].label}`}`, `by themselves: ${busiest.join('; ')}`],
    numbers: { total: time },
    places,
    time,
    share: time / wall,
    advice: 'Follow the outlined chain in the call graph to what can be done less often, kept, or done outside of the request.'
  }]
}
