import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Something that was started and has to be stopped. */
export interface Running {
  readonly name: string
  /** Settles when it has ended: null if it was told to, else why it ended by itself. */
  readonly ended: Promise<string | null>
  /** Ends it and waits until it is gone. */
  stop (): Promise<void>
}

/** A forked process of ours. */
export interface RunningProcess extends Running {
  /** Waits until a line of its standard output begins with this text. */
  line (start: string): Promise<void>
}

export interface ForkOptions {
  name: string
  entry: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  /** How long it may take to end by itself after SIGTERM, in milliseconds. */
  grace: number
  /** Lines of its standard output that begin so are not shown. */
  quiet?: string
}

/** Output that is kept, to be shown if the process dies. */
const keptCharacters = 4_000

const dieWithParent = new URL('./die-with-parent.js', import.meta.url).href

/** Forks a process that ends with this one; its output goes to ours. */
export function forkProcess ({ name, entry, args, env, grace, quiet }: ForkOptions): RunningProcess {
  const child = fork(entry, args, {
    // A session of its own: the terminal's Ctrl-C goes to this process alone, which ends the others in order.
    detached: true,
    execArgv: ['--import', dieWithParent],
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let stopped = false
  let complaints = ''
  let lines = ''
  const watchers = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    lines += text
    for (const watch of watchers) watch()
    const shown = quiet === undefined ? text : text.split(/(?<=\n)/).filter(line => !line.startsWith(quiet)).join('')
    process.stdout.write(shown)
    lines = lines.slice(-keptCharacters)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-keptCharacters)
    if (!stopped) process.stderr.write(text)
  })

  const ended = new Promise<string | null>(resolve => {
    child.once('error', error => resolve(`${name} can't be started: ${error.message}`))
    child.once('close', (code, signal) => resolve(stopped
      ? null
      : `${name} ended by itself (${signal ?? `exit code ${code}`}).${complaints.trim() && ` Its last words:\n${complaints.trim()}`}`))
  })

  return {
    name,
    ended,
    line: start => new Promise(resolve => {
      const watch = () => {
        if (!`\n${lines}`.includes(`\n${start}`)) return
        watchers.delete(watch)
        resolve()
      }
      watchers.add(watch)
      watch()
    }),
    async stop () {
      stopped = true
      child.kill('SIGTERM')
      const patience = new AbortController()
      const late = sleep(grace, true, { signal: patience.signal }).catch(() => false)
      if (await Promise.race([ended.then(() => false), late])) child.kill('SIGKILL')
      patience.abort()
      await ended
    }
  }
}
