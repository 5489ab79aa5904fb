import type { Cause, Finding } from './finding.ts'

/** Causes for which the thread runs. */
const EXPLAINS: ReadonlySet<Cause> = new Set(['regex', 'sync-io', 'garbage', 'module-loading', 'serialising'] as const)

/** Of writing a little to a socket the call that blocks is the smaller part; the rest is of streams and queues around it, and doesn't give way either. */
const AROUND = 3

/** What drivers do for many questions is explained by there being many. */
const ASKING: ReadonlySet<Cause> = new Set(['n-plus-one', 'identical', 'slow-operation'] as const)

/** The time for which findings tell already why the thread ran. */
export function explainedTime (findings: readonly Finding[]): number {
  return findings.reduce((sum, { cause, time, numbers }) => {
    if (EXPLAINS.has(cause)) return sum + time
    return sum + (ASKING.has(cause) ? numbers['running'] ?? 0 : AROUND * (numbers['blocking'] ?? 0))
  }, 0)
}
