/** Adds to what is kept for a key. */
export function add<K> (sums: Map<K, number>, key: K, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value)
}

/** The largest first. */
export function largest<K> (sums: ReadonlyMap<K, number>): Array<[key: K, sum: number]> {
  return Array.from(sums).sort(([, a], [, b]) => b - a)
}

/** `Map.groupBy`, which Node 20 doesn't have. */
export function groupBy<T, K> (items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
