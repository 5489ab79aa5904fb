import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { familyOf, until } from './processes.ts'
import type { ChildProcess } from 'node:child_process'
import type { Process } from './processes.ts'

/** `npm start` without the installing and building. */
export const startEntry = fileURLToPath(new URL('../src/start.js', import.meta.url))
/**
 * The test file's own folder. Not mkdtemp, which closes it to others: tests may run as root, and PostgreSQL's account
 * has to come through.
 */
export const folder = join(tmpdir(), `geordi-test-${randomUUID()}`)
/** A PATH with what embedded PostgreSQL and the tests need, and no Redis. */
export const toolsOnly = join(folder, 'bin')

before(() => {
  mkdirSync(toolsOnly, { recursive: true })
  for (const tool of ['id', 'test', 'sh', 'ps']) symlinkSync(findTool(tool), join(toolsOnly, tool))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function findTool (name: string): string {
  for (const place of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(place, name)
    try {
      accessSync(path)
      return path
    } catch {
      // Not here.
    }
  }
  throw new Error(`${name} is not on the PATH`)
}

/** What `npm start` brought up. */
export interface Started { process: ChildProcess, url: string, family: Process[], output: () => string, exitCode: Promise<number | null> }

/** What the shell of the tests sets must not decide how the servers are chosen. */
function cleanEnvironment (extra: Record<string, string>): NodeJS.ProcessEnv {
  const { REDIS_URL, GEORDI_QUEUE_URL, DATABASE_URL, CACHE_URL, GEORDI_SECRET, SESSION_SECRET, PORT, HOST, NODE_OPTIONS, GEORDI_STARTED_BY, ...rest } = process.env
  return { ...rest, PORT: '0', ...extra }
}

/** Runs `npm start`'s own entry. */
export function run (extra: Record<string, string>, args: readonly string[] = [startEntry]) {
  const child = spawn(process.execPath, args, { env: cleanEnvironment(extra), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const exitCode = once(child, 'exit').then(([code]) => code as number | null)
  return { process: child, output: () => output, exitCode }
}

/** Runs it until it says that all is ready. */
export async function startAll (extra: Record<string, string>, args?: readonly string[]): Promise<Started> {
  const started = run(extra, args)
  const url = () => /^geordi is ready: (http:\S+)$/m.exec(started.output())?.[1]
  try {
    await until(() => {
      assert.equal(started.process.exitCode, null, started.output())
      return url() !== undefined
    }, () => `not ready. It said:\n${started.output()}`, 120_000)
  } catch (error) {
    started.process.kill('SIGKILL')
    throw error
  }
  return { ...started, url: url() ?? '', family: familyOf(started.process.pid ?? 0) }
}
