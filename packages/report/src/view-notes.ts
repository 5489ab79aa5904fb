import type { NamedCallGraph } from '@geordi/callgraph'
import { COUNTED } from './content.ts'
import { formatShare } from './numbers.ts'

/** What part of the recording is looked at, and what one box is, in sentences; none for the whole of it. */
export function viewNotes (named: Pick<NamedCallGraph, 'view' | 'graph' | 'whole' | 'recording'>): string[] {
  const { view: { root, focus, granularity }, graph: { times, options: { time } }, whole, recording } = named
  const share = formatShare(whole.times.total > 0 ? times.total / whole.times.total : 0)
  const part = `${share} of the recording's ${COUNTED[time]}`
  return [
    ...time === 'cpu' && recording.waits !== undefined ? ['Only what code ran is counted in the graph and the tables; what was waited for is not.'] : [],
    ...time === 'wait' ? ['Only what was waited for is counted in the graph and the tables; what code ran is not.'] : [],
    ...root !== undefined ? [`Only what ${nameOf(root)} and its callees took is shown, ${part}; its callers are cut away.`] : [],
    ...focus === 'own'
      ? [`Only the application's own code is shown, ${part}: what it calls counts as its own time, and samples without any of it are left out.`]
      : [],
    ...typeof focus === 'object' && 'function' in focus ? [`Only samples in whose stack ${nameOf(focus.function)} is are shown, ${part}.`] : [],
    ...typeof focus === 'object' && 'package' in focus ? [`Only samples in whose stack the package ${focus.package} is are shown, ${part}.`] : [],
    ...granularity !== 'function' ? [`One box is one ${granularity}; calls inside of one aren't shown.`] : []
  ]
}

function nameOf (pattern: string | RegExp): string {
  return typeof pattern === 'string' ? pattern : `a function like ${String(pattern)}`
}
