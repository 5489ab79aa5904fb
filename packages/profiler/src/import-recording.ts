import { importCpuProfile, parseCpuProfile, type Profile } from '@geordi/profile'
import { readRecording } from '@geordi/waits/recording'
import { mergeWaits } from './merge/merge.ts'
import { withOriginals } from './originals.ts'

/**
 * Reads what `recordRun` gave, or any other V8 CPU profile that `importCpuProfile` of @geordi/profile reads. Where waits were recorded beside
 * it, the profile is that of the wall time: see {@link mergeWaits}.
 *
 * @param source The file's text or its bytes (UTF-8).
 * @throws ProfileError for whatever isn't a CPU profile; WaitsError `GEORDI_WAITS_RECORDING_INVALID`
 */
export function importRecording (source: string | Uint8Array): Profile {
  const file = parseCpuProfile(source)
  const profile = importCpuProfile(file)
  const { waits, window, originals } = (file as { geordi?: { waits?: unknown, window?: { start: number, end: number }, originals?: unknown } }).geordi ?? {}
  return withOriginals(waits === undefined ? profile : mergeWaits(profile, readRecording(waits), window), originals)
}
