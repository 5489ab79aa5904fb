// The worker, for programs that start one by themselves
export { startWorker, type Worker, type Log } from './worker.ts'
export { completeOptions, type WorkerOptions, type WorkerSettings } from './worker-options.ts'
export { resolveEntry, type AppEntry } from './app-entry.ts'
// Errors
export { WorkerError, type WorkerErrorCode } from './errors.ts'
