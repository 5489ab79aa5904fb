/** The middle value; of an even number of values the lower middle one. */
export function median (values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which the given share of all values lies. */
export function quantile (values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN
}
