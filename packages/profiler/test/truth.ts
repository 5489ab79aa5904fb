import type { Profile } from '@geordi/profile'

/** What a program of the fixtures says that it spent: on behalf of whom, from when to when. */
export interface Spent {
  readonly what: 'cpu' | 'wait'
  readonly path: string
  readonly start: number
  readonly end: number
}

/** Time by `cpu` or `wait` and the program's functions on the way there. */
export type Times = Map<string, number>

/** By the rule: at each moment to what ran, else in equal parts to what was waited for. */
export function trueTimes (spent: readonly Spent[]): Times {
  const times: Times = new Map()
  const cuts = [...new Set(spent.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b)
  cuts.slice(1).forEach((end, at) => {
    const start = cuts[at] as number
    const open = spent.filter(one => one.start <= start && one.end >= end)
    const running = open.filter(({ what }) => what === 'cpu')
    const sharing = running.length > 0 ? running : open
    for (const { what, path } of sharing) add(times, `${what} ${path}`, (end - start) / sharing.length)
  })
  return times
}

/** The same of a merged profile; functions that aren't the program's are seen through. */
export function mergedTimes ({ frames, tree, samples, waits }: Profile, program: string): Times {
  const waitFrames = new Set(waits?.operations.map(({ frame }) => frame))
  const times: Times = new Map()
  samples.node.forEach((node, at) => {
    const names: string[] = []
    const isWait = waitFrames.has(tree.frame[node] as number)
    for (let above = node; above > 0; above = tree.parent[above] as number) {
      const { name, url } = frames[tree.frame[above] as number]!
      // TypeScript gives the function within an async generator a number.
      if (url === program && name !== '') names.unshift(name.replace(/_1$/, ''))
    }
    add(times, `${isWait ? 'wait' : 'cpu'} ${names.join(' ')}`, samples.duration[at] as number)
  })
  return times
}

/** The share of the true time that is where it belongs. */
export function shareRight (truth: Times, merged: Times): number {
  let right = 0
  let all = 0
  for (const [path, time] of truth) {
    right += Math.min(time, merged.get(path) ?? 0)
    all += time
  }
  return right / all
}

/** For a failure's message: where the two differ by more than half a millisecond. */
export function differences (truth: Times, merged: Times): string {
  return [...new Set([...truth.keys(), ...merged.keys()])].sort()
    .map(path => ({ path, wanted: truth.get(path) ?? 0, got: merged.get(path) ?? 0 }))
    .filter(({ wanted, got }) => Math.abs(wanted - got) > 500)
    .map(({ path, wanted, got }) => `${path}: ${(got / 1000).toFixed(1)} ms, should be ${(wanted / 1000).toFixed(1)}`)
    .join('\n')
}

function add (times: Times, path: string, time: number): void {
  times.set(path, (times.get(path) ?? 0) + time)
}
