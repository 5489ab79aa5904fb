import { createRequire } from 'node:module'
import { fileUrl } from '@geordi/waits/recording'
import type { CpuProfile, CpuProfileNode } from './cpu-profile.ts'
import type { EngineDriver } from './cpu-profiler.ts'

/** The part of v8-profiler-next in use; its own types describe the old tree format only. */
interface Addon {
  setGenerateType (type: 0 | 1): void
  setSamplingInterval (interval: number): void
  setProfilesCleanupLimit (limit: number): void
  startProfiling (name: string, recordSamples: boolean, logging?: 0 | 1): void
  stopProfiling (name: string): AddonProfile
  deleteAllProfiles (): void
}

interface AddonProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    readonly hitCount: number
    readonly callFrame: { readonly functionName: string, readonly scriptId: number, readonly url: string, readonly lineNumber: number, readonly columnNumber: number }
    readonly children: number[]
  }>
  readonly startTime: number
  readonly endTime: number
  readonly samples: number[]
  readonly timeDeltas: number[]
}

/** The format with `nodes` and `timeDeltas`; 0 is the older one with nested children. */
const FLAT = 1

/** V8's profiler is told of code even while it doesn't record; 0 is only while it does. What it is made with holds until it is given up. */
const EAGER = 1
/** It is given up after so many profiles: never. */
const NO_LIMIT = 2 ** 31 - 1

/** Loads v8-profiler-next; throws what `require` throws where it was not compiled. */
export function openAddon (): EngineDriver {
  const addon = createRequire(import.meta.url)('v8-profiler-next') as Addon
  addon.setGenerateType(FLAT)
  let started = 0
  const begin = () => addon.startProfiling(`geordi ${++started}`, true)
  const end = (number: number) => {
    const profile = normalise(addon.stopProfiling(`geordi ${number}`))
    // Stopped profiles stay in memory until they are deleted.
    addon.deleteAllProfiles()
    return profile
  }
  return {
    watchCode () {
      addon.setProfilesCleanupLimit(NO_LIMIT)
      addon.startProfiling('geordi code', false, EAGER)
      addon.stopProfiling('geordi code')
      addon.deleteAllProfiles()
    },
    start (interval) {
      addon.setSamplingInterval(interval)
      begin()
    },
    next () {
      // In this order: to start where none runs, V8 has to list all functions there are, which takes it 30 to 60 ms.
      begin()
      return end(started - 1)
    },
    stop: () => end(started)
  }
}

/** The addon counts lines and columns from 1, gives numbers as script ids and plain paths for CommonJS modules. */
function normalise ({ nodes, startTime, endTime, samples, timeDeltas }: AddonProfile): CpuProfile {
  return { nodes: nodes.map(normaliseNode), startTime, endTime, samples, timeDeltas }
}

function normaliseNode ({ id, hitCount, callFrame, children }: AddonProfile['nodes'][number]): CpuProfileNode {
  const { functionName, scriptId, url, lineNumber, columnNumber } = callFrame
  return {
    id,
    callFrame: {
      functionName,
      scriptId: String(scriptId),
      url: fileUrl(url),
      lineNumber: lineNumber - 1,
      columnNumber: columnNumber - 1
    },
    hitCount,
    children
  }
}
