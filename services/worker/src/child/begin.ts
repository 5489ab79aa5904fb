import cluster from 'node:cluster'
import { instrument, watchCode } from '@geordi/profiler'
import { becomeReplayProcess } from '@geordi/replay'
import { WorkerError } from '../errors.ts'
import { endWithWorker, removeFilesAtExit } from './end-with-worker.ts'
import { startWhatIsExported } from './exported-app.ts'
import { captureServers } from './listen.ts'
import { ReplaySession } from './session.ts'

/** Long enough (in milliseconds) for an app that forks helpers to call `listen()` itself. */
const CLUSTER_GRACE = 2000

/** Makes this process, in which the app has not run yet, a replay process of the worker `parent`. */
export function begin (folder: string, parent: number, recordsWaits: boolean): void {
  hideFromChildren()
  // First of all: what the app takes out of a module before is not recorded.
  instrument(recordsWaits)
  watchCode()
  const watchdog = endWithWorker(folder, parent)
  const entry = process.argv[1]!
  const session = new ReplaySession(entry, folder, watchdog)
  removeFilesAtExit(folder, parent)
  becomeReplayProcess(session)
  const servers = captureServers(folder, session)
  cluster.once('fork', () => {
    setTimeout(() => {
      if (!session.serves) session.fail(clustered(entry))
    }, CLUSTER_GRACE).unref()
  })
  startWhatIsExported(entry, servers, () => session.evaluated()).catch(error => session.fail(error))
}

/** What the app forks is its own: it shall inherit neither our arguments nor the place of our socket. */
function hideFromChildren (): void {
  delete process.env['GEORDI_REPLAY_FOLDER']
  delete process.env['GEORDI_REPLAY_PARENT']
  delete process.env['GEORDI_REPLAY_WAITS']
  const preload = process.execArgv.findLastIndex(argument => argument === new URL('./preload.js', import.meta.url).href)
  if (preload > 1) process.execArgv.splice(preload - 2, 3)
}

function clustered (entry: string): WorkerError {
  return new WorkerError('GEORDI_APP_START',
    `${entry} forks a cluster and does not call listen() itself, so there is no server to replay the request in. GEORDI_REPLAY=1 is set in a replay process: start the server in the primary there, \`if (cluster.isPrimary && !process.env.GEORDI_REPLAY)\`, or name the file that the cluster's workers run.`)
}
