import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isAlive, markProcess } from '../src/local/processes.ts'
import type { ChildProcess } from 'node:child_process'
import type { ProcessMark } from '../src/local/processes.ts'
import type { LocalServerOptions } from '../src/local/index.ts'

/** Waits for a condition; the limit only ends a test that has failed. */
export async function until (condition: () => boolean | Promise<boolean>, what: string, limit = 60_000): Promise<void> {
  const deadline = Date.now() + limit
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`After ${limit / 1000} s: still not ${what}`)
    await sleep(25)
  }
}

/** The processes with these pids and all their descendants. */
export function family (pids: readonly number[]): ProcessMark[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    .map(line => line.trim().split(/\s+/).map(Number) as [number, number])
  const all = new Set(pids)
  for (let size = 0; size !== all.size;) {
    size = all.size
    for (const [pid, parent] of table) if (all.has(parent)) all.add(pid)
  }
  return [...all].map(markProcess).filter(mark => mark !== null)
}

export async function untilGone (marks: readonly ProcessMark[]): Promise<void> {
  const alive = () => marks.filter(isAlive).map(mark => mark.pid)
  await until(() => alive().length === 0, `gone: ${marks.map(mark => mark.pid).join(', ')}`)
}

/** A process of its own that starts a local server and then only waits. */
export async function serverOwner (options: LocalServerOptions): Promise<{ owner: ChildProcess, url: string, pids: number[] }> {
  const entry = fileURLToPath(new URL('../src/local/index.js', import.meta.url))
  const script = `
    const { startLocalServer } = await import(${JSON.stringify(entry)})
    const server = await startLocalServer(${JSON.stringify(options)})
    console.log(JSON.stringify({ url: server.url, pids: server.pids }))`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(owner.stdout)
  const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close')]) as [string | undefined]
  if (line === undefined) throw new Error('The owner ended before its server was there')
  return { owner, ...JSON.parse(line) as { url: string, pids: number[] } }
}
