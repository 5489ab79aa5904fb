import { createServer } from 'node:net'
import type { Account } from './account.ts'
import type { StopStep } from './processes.ts'

/** How to start one server process. */
export interface Launch {
  command: string
  args: string[]
  account: Account | null
  /** Written to its standard input, which is then closed: secrets belong here, everyone can read a command line. */
  input: string
  /** The line of its output that says that it takes connections. */
  readyText: string
  url: string
  stopSteps: readonly StopStep[]
}

/** Runs a helper program to its end; rejects with its output when it fails, or when the guard is told to stop. */
export type RunToEnd = (command: string, args: string[], account: Account | null) => Promise<void>

/** A port of the loopback interface that nobody uses at this moment. */
export function freePort (): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/**
 * The environment for the servers: the app's own secrets are none of their business, and PG* variables of the shell
 * would change what PostgreSQL does.
 */
export function serverEnvironment (): NodeJS.ProcessEnv {
  const kept = ['PATH', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH']
  return { ...Object.fromEntries(kept.flatMap(name => name in process.env ? [[name, process.env[name]]] : [])), LC_ALL: 'C' }
}
