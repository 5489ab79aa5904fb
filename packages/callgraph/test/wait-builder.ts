import type { Profile, WaitKind, WaitOperation, Waits } from '@geordi/profile'

/**
 * The profile with frames such as `(wait) sql select 1 @db` as waits: kind, statement and target. Each was waited for as often as it has samples.
 * There are more samples of V8's than stretches, as in profiles that were merged.
 */
export function withWaits (profile: Profile, samples = { all: 1000, busy: 300 }): Profile {
  const operations: WaitOperation[] = []
  const ids = new Map<number, number>()
  profile.frames.forEach(({ name }, frame) => {
    const [, kind, statement = '', target = ''] = /^\(wait\) (\w+) ([^@]*?)(?: @(.*))?$/.exec(name) ?? []
    if (kind !== undefined) ids.set(frame, operations.push({ kind: kind as WaitKind, target, statement, sync: false, frame }) - 1)
  })
  const operation = Array.from(profile.samples.node, node => ids.get(profile.tree.frame[node] as number)).filter(id => id !== undefined)
  const column = () => new Float64Array(operation.length)
  const waits: Waits = {
    operations,
    sites: [],
    operation: Int32Array.from(operation),
    site: new Int32Array(operation.length).fill(-1),
    start: column(),
    end: column(),
    outcome: new Uint8Array(operation.length),
    rows: column().fill(NaN),
    bytes: column().fill(NaN),
    same: new Int32Array(operation.length),
    recording: { cost: 7, samples, cut: { samples: 0, time: 0 } }
  }
  return { ...profile, waits }
}
