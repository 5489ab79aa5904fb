import type { Profile } from '@geordi/profile'
import type { Calls } from './calls.ts'
import { isFunction, type FunctionTimes } from './function-times.ts'
import type { FilledCallGraphOptions } from './options.ts'

/**
 * The frames worth showing, at most `maxNodes`, by pprof's entropy score
 * (https://github.com/google/pprof, internal/graph/graph.go, entropyScore): a function's total time, times the entropy of
 * how that time comes from its callers and goes to its callees. A mere link of a chain, with one caller and one callee,
 * scores nothing but its self time; where time is spread or gathered, the score is high.
 */
export function selectFunctions (profile: Profile, functions: FunctionTimes, { calls }: Calls, counted: number,
  { maxNodes, nodeFraction }: FilledCallGraphOptions): number[] {
  const callers = entropies(profile.frames.length)
  const callees = entropies(profile.frames.length)
  functions.self.forEach((self, frame) => callees.add(frame, self))
  for (const call of calls) {
    if (call.from === call.to) continue
    callers.add(call.to, call.time)
    callees.add(call.from, call.time)
  }
  const called = new Set(calls.filter(call => call.from !== call.to).map(call => call.to))
  const calling = new Set(calls.filter(call => call.from !== call.to).map(call => call.from))
  const score = (frame: number) => {
    const spread = (called.has(frame) ? callers.of(frame) : 1) + (calling.has(frame) ? callees.of(frame) : 1)
    return spread * (functions.total[frame] as number) + (functions.self[frame] as number)
  }
  return Array.from(functions.total.keys())
    .filter(frame => isFunction(functions.kind[frame]))
    .filter(frame => functions.total[frame] as number > 0 && functions.total[frame] as number >= nodeFraction * counted)
    .map(frame => ({ frame, score: score(frame) }))
    .sort((a, b) => b.score - a.score || compareFrames(profile, a.frame, b.frame))
    .slice(0, maxNodes)
    .map(({ frame }) => frame)
}

/** The entropy of weights, each set's in one pass: H = log2(T) - sum(w log2 w) / T. */
function entropies (size: number) {
  const sum = new Float64Array(size)
  const logs = new Float64Array(size)
  return {
    add (at: number, weight: number) {
      if (weight <= 0) return
      sum[at] = sum[at] as number + weight
      logs[at] = logs[at] as number + weight * Math.log2(weight)
    },
    of (at: number): number {
      const all = sum[at] as number
      return all > 0 ? Math.max(0, Math.log2(all) - (logs[at] as number) / all) : 0
    }
  }
}

/** An order that doesn't depend on the tree's: the same work gives the same graph. */
export function compareFrames ({ frames }: Profile, a: number, b: number): number {
  const left = frames[a]
  const right = frames[b]
  if (left === undefined || right === undefined) return 0
  return compare(left.name, right.name) || compare(left.url, right.url) || left.line - right.line || left.column - right.column
}

function compare (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
