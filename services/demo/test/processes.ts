import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process, with when it started: a pid alone may belong to another one later. */
export interface Process { pid: number, parent: number, started: string, command: string }

/** All living processes; zombies have ended. */
export function processTable (): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart=,args='], { encoding: 'utf8', maxBuffer: 2 ** 24 }).trim().split('\n')
  return lines.flatMap(line => {
    // lstart is five words: Mon Nov 23 08:03:00 2026
    const [, pid, parent, state, started, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s*(.*)$/.exec(line) ?? []
    return state === undefined || state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), started: started ?? '', command: command ?? '' }]
  })
}

/** A process and all its descendants. */
export function familyOf (pid: number): Process[] {
  const table = processTable()
  const pids = new Set([pid])
  for (let size = 0; size !== pids.size;) {
    size = pids.size
    for (const one of table) if (pids.has(one.parent)) pids.add(one.pid)
  }
  return table.filter(one => pids.has(one.pid))
}

/** Those of them that still run. */
export function survivors (family: readonly Process[]): Process[] {
  const now = new Map(processTable().map(one => [one.pid, one.started]))
  return family.filter(one => now.get(one.pid) === one.started)
}

/** Waits for a condition; the limit only ends a test that has failed. */
export async function until (condition: () => boolean | Promise<boolean>, what: () => string, limit = 60_000): Promise<void> {
  const deadline = Date.now() + limit
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`After ${limit / 1000} s: ${what()}`)
    await sleep(50)
  }
}
