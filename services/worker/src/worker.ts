import { setMaxListeners } from 'node:events'
import { newReplayId, Replays } from '@geordi/replay'
import type { AppEntry } from './app-entry.ts'
import { Drawer } from './drawing/drawer.ts'
import { WorkerError } from './errors.ts'
import { perform } from './perform.ts'
import { SpareKeeper } from './spare.ts'
import { keepSwept } from './sweep.ts'
import { TroubleLog } from './trouble-log.ts'
import type { WorkerSettings } from './worker-options.ts'

/** A worker that takes replays from the queue. */
export interface Worker {
  /** Resolves when the queue server has answered for the first time, however long it is away; rejects when the worker is closed before. */
  readonly reached: Promise<void>
  /**
   * Takes no more replays, waits for those under way, and after the option `grace` ends them: their records say so, with what was
   * recorded until then. Ends all processes.
   */
  close (): Promise<void>
}

/** What a worker tells its operator; one line each. */
export type Log = (line: string) => void

/**
 * Starts a worker for an app: takes each queued request, replays it in a process of its own, draws the report.
 * Resolves when the first spare replay process is up; the queue server may still be away.
 * @throws WorkerError `GEORDI_APP_START` when the app can't be started at all: better at once than at the first replay.
 */
export async function startWorker (app: AppEntry, settings: WorkerSettings, log: Log): Promise<Worker> {
  const { queueUrl, queueName, secret, concurrency, limit, reportLimit, grace } = settings
  const replays = await Replays.open({ url: queueUrl, name: queueName, secret, role: 'worker' })
  const spares = new SpareKeeper({ ...settings, app, output: process.stderr }, concurrency, log)
  const drawer = new Drawer(reportLimit)
  const closing = new AbortController()
  // Each replay listens to it.
  setMaxListeners(0, closing.signal)
  const ready = drawer.warmUp().catch((error: Error) => { if (!closing.signal.aborted) log(`The reports are not ready yet: ${error.message}`) })
  const endSweeping = keepSwept()
  try {
    await Promise.all([spares.fill(), ready])
    const trouble = new TroubleLog(log)
    const bench = { spares, drawer, closing: closing.signal, log, ...(limit === undefined ? {} : { limit }) }
    const consumer = await replays.consume(task => perform(task, bench), {
      concurrency,
      onError: error => trouble.error(error),
      onBack: () => trouble.back()
    })
    const reached = replays.find(newReplayId()).then(() => {})
    reached.catch(() => {})
    return {
      reached,
      async close () {
        const timer = setTimeout(() => closing.abort(stopped()), grace)
        await consumer.close()
        clearTimeout(timer)
        endSweeping()
        await spares.close()
        await drawer.close()
        await replays.close()
      }
    }
  } catch (error) {
    closing.abort()
    endSweeping()
    await spares.close()
    await drawer.close()
    await replays.close()
    throw error
  }
}

function stopped (): WorkerError {
  return new WorkerError('GEORDI_REPLAY_INTERRUPTED', 'The replay was interrupted: its worker was stopped, and had no time left to wait for its end. Ask for the profile again, or give the worker a longer --grace.')
}
