import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '@geordi/profile'
import { joinCpuProfiles, type CpuProfile, type FileRecords, type RecordedProfile } from '@geordi/profiler'
import { PART_FILE, PROFILE_FILE, RECORDS_FILE } from './child/messages.ts'

/** What a replay gave. */
export interface ReplayOutcome {
  /** The `.cpuprofile` file's bytes, with what was run in it. */
  readonly profile: Buffer
  readonly run: Run
}

/**
 * Puts together what a replay process has written to its folder: parts while it ran and, at its end, the rest.
 * @param ended Why there is no end, where there is none: in the words of `Run.ended`.
 * @returns undefined where nothing was written.
 */
export async function assemble (folder: string, ended: string): Promise<ReplayOutcome | undefined> {
  const numbers = (await readdir(folder)).flatMap(name => PART_FILE.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => a - b)
  const rest = await readWhole(join(folder, PROFILE_FILE))
  if (rest !== undefined && numbers.length === 0) return { profile: rest, run: (JSON.parse(rest.toString()) as RecordedProfile).geordi.run }
  const parts: CpuProfile[] = []
  for (const number of numbers) parts.push(JSON.parse(await readFile(join(folder, `part-${number}.json`), 'utf8')) as CpuProfile)
  if (rest !== undefined) {
    const last = JSON.parse(rest.toString()) as RecordedProfile
    return outcome([...parts, last], last.geordi)
  }
  const records = await readWhole(join(folder, RECORDS_FILE))
  if (records === undefined) return undefined
  const { run, ...others } = JSON.parse(records.toString()) as FileRecords
  return outcome(parts, { ...others, run: { ...run, ended } })
}

function outcome (parts: readonly CpuProfile[], geordi: FileRecords): ReplayOutcome {
  return { profile: Buffer.from(JSON.stringify({ ...joinCpuProfiles(parts), geordi })), run: geordi.run }
}

async function readWhole (file: string): Promise<Buffer | undefined> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
