/** The longest delay that Node's timers take; a longer one would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** @throws RangeError for what is no time to wait */
export function checkMilliseconds (value: number, name: string): void {
  if (typeof value === 'number' && value > 0) return
  throw new RangeError(`${name} takes milliseconds, more than 0, not ${String(value)}.`)
}
