import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { WaitsOptions } from '@geordi/waits'
import { OUTCOME, type WaitRecording } from '@geordi/waits/recording'

const FIXTURES = new URL('../../test/fixtures/', import.meta.url)

/** A recorded wait, to be compared. */
export interface Wait {
  readonly kind: string
  readonly statement: string
  readonly target: string
  readonly outcome: string
  /** Milliseconds. */
  readonly duration: number
  readonly sync: boolean
  readonly rows: number | null
  readonly bytes: number | null
  readonly same: number
  /** How many waits the row stands for. */
  readonly count: number
  /** The function of the fixture that started it, by its own stack or that of a record before. */
  readonly caller: string | undefined
}

/** Runs a program of the fixtures in a process of its own. */
export async function record (program: string, env: Record<string, string> = {}, options?: WaitsOptions): Promise<{ recording: WaitRecording, told: unknown }> {
  const folder = await mkdtemp(join(tmpdir(), 'geordi-waits-'))
  try {
    const file = join(folder, 'result.json')
    const args = [fileURLToPath(new URL('record.mjs', FIXTURES)), new URL(`${program}.mjs`, FIXTURES).href, file]
    if (options !== undefined) args.push(JSON.stringify(options))
    await promisify(execFile)(process.execPath, args, { timeout: 60_000, env: { ...process.env, ...env } })
    return JSON.parse(await readFile(file, 'utf8')) as { recording: WaitRecording, told: unknown }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function waitsOf (program: string, env?: Record<string, string>): Promise<Wait[]> {
  return toWaits((await record(program, env)).recording)
}

export function toWaits (recording: WaitRecording): Wait[] {
  const { waits } = recording
  const names = Object.keys(OUTCOME)
  const counts = new Map(waits.counted?.map(({ wait, count }) => [wait, count]))
  return waits.operation.map((id, at) => {
    const { kind, statement, target, sync } = waits.operations[id]!
    return {
      kind,
      statement,
      target,
      sync,
      outcome: names[waits.outcome[at]!]!,
      duration: (waits.end[at]! - waits.start[at]!) / 1000,
      rows: waits.rows[at]!,
      bytes: waits.bytes[at]!,
      same: waits.same[at]!,
      count: counts.get(at) ?? 1,
      caller: callerOf(recording, waits.record[at]!)
    }
  })
}

/** The innermost function of the fixtures in a record's stack. */
export function callerOf ({ records, stacks, places, functions }: WaitRecording, record: number): string | undefined {
  for (let at = record; at > 0; at = records.parent[at]!) {
    for (const place of stacks[records.stack[at]!] ?? []) {
      const [name, url] = functions[places[place]?.[0] ?? -1] ?? ['', '']
      if (url.startsWith(FIXTURES.href) && name !== '') return name
    }
  }
  return undefined
}
