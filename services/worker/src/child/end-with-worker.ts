import { existsSync, readdirSync, rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

/** A thread that works also where the app blocks its own for ever. */
export interface Watchdog {
  /** The recording has begun: it is to be kept now and then. */
  recording (): void
}

/**
 * A worker that was killed can't end its replay process, and an orphan would go on with nobody to tell. The
 * channel's end says it at once; a thread sees it where the app blocks its own thread, even for ever.
 */
export function endWithWorker (folder: string, parent: number): Watchdog {
  process.on('disconnect', () => end(folder))
  // The app's way to leave its own parent (pm2) alone; here it would take us for orphaned.
  process.disconnect = () => {}
  const thread = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { folder, parent },
    // Nothing of the app's belongs in this thread: no loader, no NODE_OPTIONS.
    execArgv: [],
    env: {}
  })
  thread.unref()
  return { recording: () => thread.postMessage('recording') }
}

/**
 * Has the process's files removed when it exits, but for a recording, which the worker takes and removes while there is one.
 * To be called last: what is written at the exit has to be there.
 */
export function removeFilesAtExit (folder: string, parent: number): void {
  process.on('exit', () => {
    const isWanted = process.ppid === parent && existsSync(folder) && readdirSync(folder).some(name => !name.endsWith('.sock'))
    if (!isWanted) rmSync(folder, { recursive: true, force: true })
  })
}

/** Ends this process and all that it started: they are one process group. */
export function end (folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  process.kill(-process.pid, 'SIGKILL')
}
