import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'

/** A process that can be recognised later, when its pid may belong to another one. */
export interface ProcessMark { pid: number, started: string }

/** A signal, and how long to wait for the process to end before the next one, in milliseconds. */
export type StopStep = readonly [signal: NodeJS.Signals, wait: number]

/**
 * When the process started, in the system's own spelling; null when there is no such process.
 * Linux is read from /proc, because slim containers have no `ps`.
 */
function startTime (pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      // The command's name (field 2) may hold spaces and brackets, so count from its last bracket.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
      // A zombie has ended, whoever still has to collect it.
      return fields[0] === 'Z' ? null : fields[19] ?? null
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}

/** A mark for a living process; null when it has ended. */
export function markProcess (pid: number): ProcessMark | null {
  const started = startTime(pid)
  return started === null ? null : { pid, started }
}

/** Whether the very process that was marked still runs. */
export function isAlive (mark: ProcessMark): boolean {
  return startTime(mark.pid) === mark.started
}

/** The command line of a process, or '' when it can't be read. */
export function commandLine (pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

/** Ends a process that isn't our child, with one signal after the other, and waits until it is gone. */
export async function stopProcess (mark: ProcessMark, steps: readonly StopStep[]): Promise<void> {
  for (const [signal, wait] of steps) {
    if (!isAlive(mark)) return
    try { process.kill(mark.pid, signal) } catch { return }
    const deadline = Date.now() + wait
    while (isAlive(mark) && Date.now() < deadline) await sleep(20)
  }
}

/** Ends a child of ours, with one signal after the other, and waits until it is gone. */
export async function stopChild (child: ChildProcess, steps: readonly StopStep[]): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  for (const [signal, wait] of steps) {
    child.kill(signal)
    const timer = new AbortController()
    const late = sleep(wait, 'late', { signal: timer.signal }).catch(() => 'late')
    const outcome = await Promise.race([gone, late])
    timer.abort()
    if (outcome !== 'late') return
  }
}
