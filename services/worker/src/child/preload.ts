/**
 * Loaded with `--import` before the user's app: makes its process a replay process. The app's own entry
 * runs unchanged; its servers listen on unix sockets in place of their ports, which the production
 * process holds.
 */
import { mkdirSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const folder = process.env['GEORDI_REPLAY_FOLDER']
const parent = Number(process.env['GEORDI_REPLAY_PARENT'])
const recordsWaits = process.env['GEORDI_REPLAY_WAITS'] === 'true'

// Worker threads and processes that the app starts can inherit `--import`; they are none of ours, and must not even
// pay for loading the rest. (The variables are gone when the app runs.)
if (isMainThread && folder !== undefined) {
  // The worker was killed meanwhile. The app must not run now: it would open its real ports.
  if (process.ppid !== parent || process.send === undefined) process.exit(1)
  // Private: profile and socket are nobody else's business. It throws where somebody has put something under the name.
  mkdirSync(folder, { mode: 0o700 })
  const { begin } = await import('./begin.ts')
  begin(folder, parent, recordsWaits)
}
