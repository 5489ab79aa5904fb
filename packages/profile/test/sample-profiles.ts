import { classify, type Frame, type Profile } from '../src/index.ts'

/** Self and total times in microseconds by function, idle time left out: sample by sample, the slow and obvious way. */
export function timesByName (profile: Profile, nameOf: (frame: Frame, index: number) => string): Map<string, { self: number, total: number }> {
  const { frames, tree, samples, run } = profile
  const times = new Map<string, { self: number, total: number }>()
  const at = (frame: number) => {
    const name = nameOf(frames[frame] as Frame, frame)
    let time = times.get(name)
    if (time === undefined) times.set(name, time = { self: 0, total: 0 })
    return time
  }
  samples.node.forEach((leaf, index) => {
    const inner = tree.frame[leaf] as number
    if (classify(frames[inner] as Frame, run) === 'idle') return
    const duration = samples.duration[index] as number
    at(inner).self += duration
    const stack = new Set<ReturnType<typeof at>>()
    for (let node = leaf; node > 0; node = tree.parent[node] as number) stack.add(at(tree.frame[node] as number))
    for (const time of stack) time.total += duration
  })
  return times
}

/** Recursion, idle time, functions of one name, and names that hurt, as a `.cpuprofile`. */
export const HOSTILE_FILE = {
  nodes: [
    [1, '(root)', '', -1, -1, [2, 3, 4, 8, 9]], [2, '(idle)', '', -1, -1, []], [3, '(garbage collector)', '', -1, -1, []],
    [4, 'main;a', 'file:///srv/app/a%20b.js', 0, 0, [5, 7]], [5, 'fib', 'file:///srv/app/fib.js', 2, 12, [6]], [6, 'fib', 'file:///srv/app/fib.js', 2, 12, []],
    [7, '"quoted" \\back <b>&eacute;\0\n\u202e\ud800 日本語 🦊', 'file:///srv/app/node_modules/@scope/lib/i.js', 4, 4, []],
    [8, '', 'file:///srv/app/fib.js', 9, 1, []], [9, '', 'file:///srv/app/fib.js', 9, 30, []]
  ].map(([id, functionName, url, lineNumber, columnNumber, children]) =>
    ({ id, callFrame: { functionName, scriptId: '1', url, lineNumber, columnNumber }, hitCount: 0, children })),
  startTime: 5_000_000,
  endTime: 5_000_000,
  samples: [4, 5, 6, 6, 2, 7, 3, 8, 9, 9, 1, 4],
  timeDeltas: [100, 250, 1000, 333, 5000, 4000, 70, 10, 20, 30, 5, 100]
}
