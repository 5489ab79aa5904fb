import { readdirSync, readFileSync } from 'node:fs'
import { REPLAY_VARIABLE } from '@geordi/replay'
import type { LocalServer } from '@geordi/replay/local'
import { onServer } from '../test/faults-support.ts'

/** The value below which a share of the values are. */
export function quantile (values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))]!
}

/** What a process holds: resident memory in megabytes, and open files. Linux only; NaN elsewhere. */
export function holdings (pid: number): { megabytes: number, files: number } {
  try {
    const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return { megabytes: Math.round(Number(resident?.[1]) / 1024), files: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return { megabytes: NaN, files: NaN }
  }
}

/** How many replay processes there are that were given this variable: by their ids it can't be told, which others have after some hours. Linux only. */
export function replayProcesses (variable: string): number {
  const variables = readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(pid => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    } catch {
      // It has ended meanwhile, or is somebody else's.
      return []
    }
  })
  return variables.filter(given => given.includes(variable) && given.includes(`${REPLAY_VARIABLE}=1`)).length
}

/** Keys of Redis, or rows of all tables of a queue in PostgreSQL. */
export async function entries (server: LocalServer, name: string): Promise<number> {
  let count = 0
  await onServer(server, async redis => { count = await redis.dbsize() }, async client => {
    const { rows } = await client.query('SELECT format(\'%I.%I\', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY ($1)', [[name, `${name}_queue`]])
    for (const table of rows) count += (await client.query(`SELECT count(*)::integer AS count FROM ${table.name}`)).rows[0].count
  })
  return count
}

/** How much larger a figure may be in the second half of a run than it ever was in the first: as a factor, and beyond that. */
const ROOM = 1.3
const CHANCE = 2

/** What was looked at again and again must not grow: says so, and has the program fail, where a figure does. */
export function tellWhatGrew (seen: ReadonlyArray<Readonly<Record<string, number>>>): void {
  const half = Math.ceil(seen.length / 2)
  const most = (name: string, part: typeof seen) => Math.max(...part.map(figures => figures[name]!))
  const grown = Object.keys(seen[0] ?? {}).filter(name => most(name, seen.slice(half)) > ROOM * most(name, seen.slice(0, half)) + CHANCE)
  console.log(grown.length === 0 ? 'nothing has grown' : `GROWN: ${grown.join(', ')}`)
  if (grown.length > 0) process.exitCode = 1
}
