import { groupBy } from '../sums.ts'
import type { Tally } from '../waits/tallies.ts'

/** Of some operations the three statements with the most time, with all that they were asked for: a file's name is not what matters. */
export function byStatement (tallies: readonly Tally[]): Array<Pick<Tally, 'statement' | 'count' | 'total'>> {
  return Array.from(groupBy(tallies, ({ statement }) => statement), ([statement, same]) => ({ statement, count: sum(same, 'count'), total: sum(same, 'total') }))
    .sort((a, b) => b.total - a.total).slice(0, 3)
}

function sum (tallies: readonly Tally[], what: 'count' | 'total'): number {
  return tallies.reduce((sum, tally) => sum + tally[what], 0)
}
