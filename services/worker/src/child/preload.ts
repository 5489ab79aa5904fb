/**
 * Loaded with `--import` before the user's app: makes its process a replay process. The app's own entry
 * runs unchanged; its servers listen on unix sockets in place of their ports, which the production
 * process holds.
 */
import { isMainThread } from 'node:worker_threads'
import { becomeReplayProcess } from '@geordi/replay'
import { startWhatIsExported } from './exported-app.ts'
import { captureServers } from './listen.ts'
import { ReplaySession } from './session.ts'

const folder = process.env['GEORDI_REPLAY_FOLDER']
const parent = Number(process.env['GEORDI_REPLAY_PARENT'])

// Worker threads and processes that the app forks inherit `--import` and the environment; they are none of ours.
if (isMainThread && folder !== undefined && process.ppid === parent && process.send !== undefined) {
  delete process.env['GEORDI_REPLAY_FOLDER']
  delete process.env['GEORDI_REPLAY_PARENT']
  // A worker that was killed can't end its replay process; an orphan would go on with nobody to tell.
  process.on('disconnect', () => process.exit())

  const session = new ReplaySession()
  becomeReplayProcess(session)
  const servers = captureServers(folder, server => session.listening(server))
  startWhatIsExported(process.argv[1]!, servers).catch(error => session.fail(error))
}
