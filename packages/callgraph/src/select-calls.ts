import type { Call, Calls } from './calls.ts'
import type { FilledCallGraphOptions } from './options.ts'

/**
 * The calls worth showing. Every function keeps its heaviest caller, the critical path its calls, and every function
 * can be reached from where the program was entered: a cycle whose functions are each other's heaviest callers would else hang
 * in the air. The rest by time, down to `edgeFraction` of the time that is counted, at most `edgesPerNode` for each function.
 */
export function selectCalls ({ calls, entry }: Calls, shown: readonly number[], critical: ReadonlySet<Call>, counted: number,
  { edgeFraction, edgesPerNode }: FilledCallGraphOptions): Call[] {
  const byTime = [...calls].filter(call => call.time > 0)
    .sort((a, b) => b.time - a.time || b.direct - a.direct || a.from - b.from || a.to - b.to)
  const kept = new Set<Call>([...critical, ...heaviestCallers(byTime)])
  connect(kept, byTime, entry, shown)
  const most = Math.floor(edgesPerNode * shown.length)
  for (const call of byTime) {
    if (kept.size >= most || call.time < edgeFraction * counted) break
    kept.add(call)
  }
  return byTime.filter(call => kept.has(call))
}

function heaviestCallers (byTime: readonly Call[]): Iterable<Call> {
  const heaviest = new Map<number, Call>()
  for (const call of byTime) {
    if (call.from !== call.to && !heaviest.has(call.to)) heaviest.set(call.to, call)
  }
  return heaviest.values()
}

/** Adds to `kept` what leads from the entries into cycles, the heaviest first. */
function connect (kept: Set<Call>, byTime: readonly Call[], entry: Float64Array, shown: readonly number[]): void {
  const reached = new Set<number>()
  const from = new Map<number, Call[]>()
  const add = (call: Call) => {
    const calls = from.get(call.from)
    if (calls === undefined) from.set(call.from, [call])
    else calls.push(call)
  }
  for (const call of kept) add(call)
  const spread = (start: number) => {
    const waiting = [start]
    reached.add(start)
    for (let frame = waiting.pop(); frame !== undefined; frame = waiting.pop()) {
      for (const { to } of from.get(frame) ?? []) {
        if (reached.has(to)) continue
        reached.add(to)
        waiting.push(to)
      }
    }
  }
  const called = new Set(Array.from(kept).filter(call => call.from !== call.to).map(call => call.to))
  for (const frame of shown) if (!called.has(frame) && !reached.has(frame)) spread(frame)
  while (reached.size < shown.length) {
    const start = shown.filter(frame => !reached.has(frame))
      .reduce((best, frame) => (entry[frame] as number) > (entry[best] as number) ? frame : best)
    const bridge = byTime.find(call => reached.has(call.from) && !reached.has(call.to))
    if (bridge !== undefined && bridge.time >= (entry[start] as number)) {
      kept.add(bridge)
      add(bridge)
      spread(bridge.to)
    } else spread(start)
  }
}
