import type { CallSite, Profile, WaitKind, WaitOperation, Waits } from '@geordi/profile'

/**
 * The profile with frames such as `(wait) sql select 1 @db` as waits: kind, statement and target. Each stretch of such a frame is one wait, as if nothing
 * had run at the same time. Who called is the function above, in its tenth line.
 */
export function withWaits (profile: Profile, samples = { all: 1000, busy: 300 }): Profile {
  const { frames, tree, startTime } = profile
  const operations: WaitOperation[] = []
  const ids = new Map<number, number>()
  frames.forEach(({ name }, frame) => {
    const [, kind, statement = '', target = ''] = /^\(wait\) (\w+) ([^@]*?)(?: @(.*))?$/s.exec(name) ?? []
    if (kind !== undefined) ids.set(frame, operations.push({ kind: kind as WaitKind, target, statement, sync: false, frame }) - 1)
  })
  const waited: Array<{ readonly operation: number, readonly site: number, readonly start: number, readonly end: number }> = []
  const sites: CallSite[] = []
  const siteOf = (node: number): number => {
    const frame = tree.frame[tree.parent[node] as number] as number
    const known = sites.findIndex(site => site.frame === frame)
    return known >= 0 ? known : sites.push({ frame, line: 10, column: 3, parent: -1 }) - 1
  }
  let start = startTime
  profile.samples.node.forEach((node, at) => {
    const end = start + (profile.samples.duration[at] as number)
    const operation = ids.get(tree.frame[node] as number)
    if (operation !== undefined) waited.push({ operation, site: siteOf(node), start, end })
    start = end
  })
  const unknown = () => new Float64Array(waited.length).fill(NaN)
  const waits: Waits = {
    operations,
    sites,
    operation: Int32Array.from(waited, ({ operation }) => operation),
    site: Int32Array.from(waited, ({ site }) => site),
    start: Float64Array.from(waited, ({ start }) => start),
    end: Float64Array.from(waited, ({ end }) => end),
    outcome: new Uint8Array(waited.length),
    rows: unknown(),
    bytes: unknown(),
    same: new Int32Array(waited.length),
    recording: { cost: 4200, samples, cut: { samples: 0, time: 0 } }
  }
  return { ...profile, waits }
}
