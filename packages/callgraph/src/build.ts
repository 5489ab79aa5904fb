import type { Profile } from '@geordi/profile'
import { collectCalls, type Call } from './calls.ts'
import { criticalChain } from './critical-path.ts'
import { isFunction, timesOf, type TreeTimes } from './function-times.ts'
import type { CallGraph, GraphEdge, GraphNode } from './graph.ts'
import { fillOptions, type CallGraphOptions, type FilledCallGraphOptions } from './options.ts'
import { selectCalls } from './select-calls.ts'
import { compareFrames, selectFunctions } from './select-functions.ts'

/**
 * Makes the call graph of a profile: adds up self and total times, selects the functions and calls worth showing, and
 * finds the critical path. What is left out stays in the sums (`other`), and calls through it are residual edges.
 * It takes time in proportion to the samples and the call tree, however deep.
 *
 * @param options What to show; the defaults are at `CallGraphOptions`.
 * @throws {CallGraphError} `GEORDI_CALLGRAPH_BAD_OPTION` for an option that isn't one or isn't possible.
 */
export function buildCallGraph (profile: Profile, options?: CallGraphOptions): CallGraph {
  const filled = fillOptions(options, profile)
  return graphOf(profile, filled, timesOf(profile, filled.time))
}

/** The same from times that are known already, of the profile and of what the options count. */
export function graphOf (profile: Profile, filled: FilledCallGraphOptions, times: TreeTimes): CallGraph {
  const { functions, times: { total: counted } } = times

  const selected = selectFunctions(profile, functions, collectCalls(profile, times, () => true), counted, filled)
  const shown = selected.sort((a, b) => descending(functions.total, a, b) || descending(functions.self, a, b) ||
    compareFrames(profile, a, b))
  const idOf = new Map(shown.map((frame, id) => [frame, id]))
  const isShown = (frame: number) => idOf.has(frame)
  const contracted = collectCalls(profile, times, isShown)

  const chain = criticalChain(profile, times, isShown, counted)
  const critical = callsAlong(chain, contracted.calls)
  const kept = selectCalls(contracted, shown, critical, counted, filled)
  const share = (time: number) => counted > 0 ? time / counted : 0
  const onPath = new Set(chain)

  const nodes = shown.map((frame): GraphNode => {
    const self = functions.self[frame] as number
    const total = functions.total[frame] as number
    const entry = contracted.entry[frame] as number
    return { frame, self, total, selfShare: share(self), totalShare: share(total), entry, critical: onPath.has(frame) }
  })
  const edges = kept.map((call): GraphEdge => ({
    from: idOf.get(call.from) as number,
    to: idOf.get(call.to) as number,
    time: call.time,
    share: share(call.time),
    residual: call.direct < call.time / 2,
    critical: critical.has(call)
  }))
  return {
    times: times.times,
    functions,
    nodes,
    edges,
    other: {
      functions: functions.total.reduce((count, total, frame) => count + (total > 0 && isTrimmed(frame) ? 1 : 0), 0),
      self: functions.self.reduce((sum, self, frame) => sum + (isShown(frame) ? 0 : self), 0),
      edges: contracted.calls.filter(call => call.time > 0).length - kept.length
    },
    criticalPath: Array.from(onPath, frame => idOf.get(frame) as number),
    options: filled
  }

  function isTrimmed (frame: number): boolean {
    return !isShown(frame) && isFunction(functions.kind[frame])
  }
}

function callsAlong (chain: readonly number[], calls: readonly Call[]): Set<Call> {
  const pairs = new Set(chain.slice(1).map((frame, at) => `${chain[at]} ${frame}`))
  return new Set(calls.filter(call => pairs.has(`${call.from} ${call.to}`)))
}

function descending (column: Float64Array, a: number, b: number): number {
  return (column[b] as number) - (column[a] as number)
}
