import { hostname } from 'node:os'
import type { ProcessState } from '../report.ts'

/** What the watcher knows of the process by itself: the heap that it sees is its own. */
export function processState (open: number): ProcessState {
  return { host: hostname(), pid: process.pid, node: process.version, open, memory: { rss: process.memoryUsage.rss() } }
}
