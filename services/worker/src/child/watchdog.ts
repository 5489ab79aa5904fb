import { workerData } from 'node:worker_threads'
import { end } from './end-with-worker.ts'

const POLL = 1000

const { folder, parent } = workerData as { folder: string, parent: number }
setInterval(() => {
  // An orphan gets another parent.
  if (process.ppid !== parent) end(folder)
}, POLL)
