import type { CpuProfile, CpuProfileNode } from './cpu-profile.ts'

interface Joined extends CpuProfileNode {
  hitCount: number
  readonly children: number[]
}

/** As @geordi/waits' time is called in a merged profile. */
const RECORDING = { functionName: '(recording)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 }

/**
 * Joins the parts of one recording, in their order, into one profile. The time between two parts is the profiler's own: it is
 * under `(recording)`. Where the next began before the one before it ended, that one counts.
 *
 * @throws RangeError when there is none.
 */
export function joinCpuProfiles (parts: Iterable<CpuProfile>): CpuProfile {
  const nodes: Joined[] = []
  const known = new Map<string, Joined>()
  const samples: number[] = []
  const timeDeltas: number[] = []
  let startTime: number | undefined
  let last = 0
  let endTime = 0

  const nodeOf = ({ callFrame }: CpuProfileNode, parent: Joined | undefined): Joined => {
    const { functionName, scriptId, url, lineNumber, columnNumber } = callFrame
    const key = `${parent?.id ?? 0} ${scriptId} ${lineNumber} ${columnNumber} ${functionName} ${url}`
    let node = known.get(key)
    if (node === undefined) {
      node = { id: nodes.length + 1, callFrame, hitCount: 0, children: [] }
      known.set(key, node)
      nodes.push(node)
      parent?.children.push(node.id)
    }
    return node
  }

  for (const part of parts) {
    const joint = startTime === undefined ? -Infinity : last
    startTime ??= last = part.startTime
    endTime = Math.max(endTime, part.endTime)
    const ids = renumber(part, nodeOf)
    const sample = (node: Joined | undefined, time: number) => {
      if (node === undefined || time <= joint) return
      node.hitCount++
      samples.push(node.id)
      timeDeltas.push(time - last)
      last = time
    }
    if (part.startTime > last) sample(nodeOf({ id: 0, callFrame: RECORDING }, nodes[0]), part.startTime)
    let time = part.startTime
    part.samples.forEach((id, at) => {
      time += part.timeDeltas[at] ?? 0
      sample(ids.get(id), time)
    })
    // What comes after a part's last sample is a stretch of what that one saw.
    if (part.endTime > last && part.samples.length > 0) sample(ids.get(part.samples.at(-1)!), part.endTime)
  }
  if (startTime === undefined) throw new RangeError('There is no part to join.')
  return { nodes, startTime, endTime, samples, timeDeltas }
}

/** The joined node of each of a part's, by the part's id. A part's nodes come after their parents. */
function renumber ({ nodes }: CpuProfile, nodeOf: (node: CpuProfileNode, parent: Joined | undefined) => Joined): Map<number, Joined> {
  const parents = new Map<number, number>()
  for (const { id, children } of nodes) for (const child of children ?? []) parents.set(child, id)
  const ids = new Map<number, Joined>()
  for (const node of nodes) {
    const parent = parents.get(node.id)
    ids.set(node.id, nodeOf(node, parent === undefined ? undefined : ids.get(parent)))
  }
  return ids
}
