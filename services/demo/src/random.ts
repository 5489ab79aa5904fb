/** A generator of numbers that look random and are the same every time (mulberry32): the demo's data is no surprise. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next (): number
  /** A whole number from 0 up to, not including, `limit`. */
  below (limit: number): number
  pick<T> (from: readonly T[]): T
  hex (length: number): string
}

export function createRandom (seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    pick: from => {
      if (from.length === 0) throw new RangeError('Nothing to pick from')
      return from[below(from.length)] as (typeof from)[number]
    },
    hex: length => Array.from({ length }, () => below(16).toString(16)).join('')
  }
}
