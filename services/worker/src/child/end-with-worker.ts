import { rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

/**
 * A worker that was killed can't end its replay process, and an orphan would go on with nobody to tell. The
 * channel's end says it at once; a thread sees it where the app blocks its own thread, even for ever.
 */
export function endWithWorker (folder: string, parent: number): void {
  process.on('disconnect', () => end(folder))
  // Its files are the worker's to remove, while there is one.
  process.on('exit', () => { if (process.ppid !== parent) rmSync(folder, { recursive: true, force: true }) })
  // The app's way to leave its own parent (pm2) alone; here it would take us for orphaned.
  process.disconnect = () => {}
  new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { folder, parent },
    // Nothing of the app's belongs in this thread: no loader, no NODE_OPTIONS.
    execArgv: [],
    env: {}
  }).unref()
}

/** Ends this process and all that it started: they are one process group. */
export function end (folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  process.kill(-process.pid, 'SIGKILL')
}
