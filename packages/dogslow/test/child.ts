import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Report } from '@geordi/dogslow'
import { atEnd, until } from './support.ts'

const FIXTURE = fileURLToPath(new URL('../../test/fixtures/app.mjs', import.meta.url))

export interface Child {
  readonly pid: number
  readonly output: () => string
  /** Reports in its log. */
  readonly reports: () => Report[]
  /** Sends a request and waits until its handler is about to run, not for the answer. */
  readonly send: (path: string) => Promise<void>
  readonly signal: (signal: NodeJS.Signals) => void
  /** Nobody reads its standard error any more. */
  readonly closeStderr: () => void
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null, readonly signal: NodeJS.Signals | null }>
}

/** Runs the fixture's app in a process of its own. */
export async function startChild (t: TestContext, options: object, flags: readonly string[] = []): Promise<Child> {
  const child = spawn(process.execPath, [...flags, FIXTURE, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += String(chunk) })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Awaited<Child['ended']>)
  atEnd(t, async () => {
    child.kill('SIGKILL')
    await ended
  })
  const port = await until(() => /listening (\d+)/.exec(output)?.[1])
  return {
    pid: child.pid!,
    output: () => output,
    reports: () => output.split('\n').flatMap(line => {
      try {
        const { dogslow } = JSON.parse(line) as { dogslow?: Report }
        return dogslow?.type === 'report' ? [dogslow] : []
      } catch {
        return []
      }
    }),
    send: async path => {
      const request = http.get({ port, path, host: '127.0.0.1', agent: false }, response => response.resume())
      request.on('error', () => {})
      atEnd(t, () => request.destroy())
      await until(() => output.includes(`open ${path}\n`))
    },
    signal: signal => { child.kill(signal) },
    closeStderr: () => { child.stderr.destroy() },
    ended
  }
}
