/** The middle value; of an even number of values the lower middle one. */
export function median (values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which the given share of all values lies. */
export function quantile (values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN
}

/** Where the median of what the values were drawn from lies with 95 % confidence, whatever their distribution: by the sign test. */
export function medianInterval (values: readonly number[]): [least: number, most: number] {
  const half = 1.96 / 2 / Math.sqrt(values.length)
  return [quantile(values, Math.max(0.5 - half, 0)), quantile(values, Math.min(0.5 + half, 1))]
}
