import type { Look } from '../waits/look.ts'
import { LEAST } from './thresholds.ts'

/** Whether a cost is worth telling: it has both so much time and such a share of the wall time. */
export function isWorthTelling ({ wall }: Look, time: number, least: { readonly time?: number, readonly share?: number } = {}): boolean {
  return time >= Math.max(LEAST.time, least.time ?? 0) && time >= Math.max(LEAST.share, least.share ?? 0) * wall
}
