import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { keptPassword } from './folder.ts'
import type { Launch } from './launch.ts'

/** The path of `redis-server`, else of `valkey-server`, on the PATH; null when there is neither. */
export function findRedisServer (): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '')
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        if (statSync(path).isFile()) return path
      } catch {
        // Not in this folder.
      }
    }
  }
  return null
}

/**
 * Redis for a queue: every write in the append-only file (a restart from an older snapshot would run finished jobs
 * again), nothing evicted, a password, loopback only.
 */
export function redisLaunch (command: string, folder: string, port: number): Launch {
  const password = keptPassword(folder)
  const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  return {
    command,
    args: ['-'],
    account: null,
    input: [
      'bind 127.0.0.1',
      `port ${port}`,
      'protected-mode yes',
      `requirepass ${password}`,
      `dir ${quote(folder)}`,
      'appendonly yes',
      'save ""',
      'maxmemory-policy noeviction',
      'daemonize no',
      'logfile ""',
      ''
    ].join('\n'),
    readyText: 'Ready to accept connections',
    url: `redis://:${password}@127.0.0.1:${port}`,
    stopSteps: [['SIGTERM', 5_000], ['SIGKILL', 5_000]]
  }
}
