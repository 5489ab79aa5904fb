import type { Profile } from '@geordi/profile'
import { lookAt, type Look } from '../waits/look.ts'
import { findBlockedLoop } from './blocked-loop.ts'
import { findComputing } from './computing.ts'
import type { Finding } from './finding.ts'
import { findGarbage } from './garbage.ts'
import { findIdentical } from './identical.ts'
import { findDatabaseLocks, findMutexes } from './locks.ts'
import { findModuleLoading } from './module-loading.ts'
import { findNPlusOne } from './n-plus-one.ts'
import { toldAtRoute } from './places.ts'
import { findPoolWaits } from './pool.ts'
import { findRegexes } from './regex.ts'
import { findSequential } from './sequential.ts'
import { findSerialising } from './serialising.ts'
import { findSlowOperations } from './slow-operation.ts'
import { findSyncIo } from './sync-io.ts'
import { findTinyOperations } from './tiny-operations.ts'

const CAUSES: ReadonlyArray<(look: Look) => Finding[]> = [
  findNPlusOne, findIdentical, findSlowOperations, findSequential, findDatabaseLocks, findMutexes, findPoolWaits, findSyncIo, findTinyOperations, findGarbage, findModuleLoading,
  findSerialising
]

export type { Cause, Finding } from './finding.ts'
export type { Place } from '../waits/places.ts'

/**
 * Why a run was slow, the costliest first; none where nothing stands out. With recorded waits (`Profile.waits`) every cause is looked for, without only
 * those that a CPU profile shows: regular expressions, garbage, modules, synchronous input and output, JSON and templates of packages.
 *
 * @param profile The whole recording. With places from source maps (`resolveSources` of @geordi/profile) the findings have them, too.
 * @returns Plain values, to be written as JSON.
 */
export async function findCauses (profile: Profile): Promise<Finding[]> {
  return await findIn(lookAt(profile))
}

/** Why the run was slow, the costliest first; none where nothing stands out. */
export async function findIn (look: Look): Promise<Finding[]> {
  const found = [...CAUSES.flatMap(find => find(look)), ...await findRegexes(look)]
  const busy = [...found, ...findBlockedLoop(look, found)]
  // Without a place there is nothing to mend: what a driver does by itself, say.
  return [...busy, ...findComputing(look, busy)].filter(({ places }) => places.length > 0).map(finding => toldAtRoute(look, finding)).sort((a, b) => b.time - a.time)
}
