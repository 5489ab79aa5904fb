import { checkMilliseconds } from './milliseconds.ts'
import { Quota } from './quota.ts'

/** How long a box may take: milliseconds (more than 0, `Infinity` for no limit of its own), or a quota that boxes share. */
export type Limit = number | Quota

/** @throws RangeError for what is no limit */
export function checkLimit (limit: Limit): void {
  if (!(limit instanceof Quota)) checkMilliseconds(limit, 'The limit')
}
