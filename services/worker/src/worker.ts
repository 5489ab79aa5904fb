import { readFile } from 'node:fs/promises'
import { importCpuProfile } from '@geordi/profile'
import { failure, RAW_PROFILE, REPORT, Replays, workerName, type ReplayTask } from '@geordi/replay'
import { renderReport } from '@geordi/report'
import type { AppEntry } from './app-entry.ts'
import { WorkerError } from './errors.ts'
import type { ReplayChild, ReplayOutcome } from './replay-child.ts'
import { SpareKeeper } from './spare.ts'
import type { WorkerSettings } from './worker-options.ts'

/** A worker that takes replays from the queue. */
export interface Worker {
  /** Takes no more replays, waits for those under way, ends all processes. */
  close (): Promise<void>
}

/** What a worker tells its operator; one line each. */
export type Log = (line: string) => void

/**
 * Starts a worker for an app: takes each queued request, replays it in a process of its own, draws the report.
 * Resolves when the first spare replay process is up.
 * @throws WorkerError `GEORDI_APP_START` when the app can't be started at all: better at once than at the first replay.
 */
export async function startWorker (app: AppEntry, settings: WorkerSettings, log: Log): Promise<Worker> {
  const { queueUrl, queueName, secret, concurrency } = settings
  const replays = await Replays.open({ url: queueUrl, name: queueName, secret, role: 'worker', retention: settings.retention })
  const spares = new SpareKeeper({ ...settings, app, output: process.stderr }, concurrency)
  try {
    await spares.fill()
    const consumer = await replays.consume(task => perform(task, spares, log), {
      concurrency,
      onError: error => log(`${(error as NodeJS.ErrnoException).code ?? error.name}: ${error.message}`)
    })
    return {
      async close () {
        await consumer.close()
        await spares.close()
        await replays.close()
      }
    }
  } catch (error) {
    await spares.close()
    await replays.close()
    throw error
  }
}

/** One replay from the queue to the report. What goes wrong is written where the admin looks. */
async function perform (task: ReplayTask, spares: SpareKeeper, log: Log): Promise<void> {
  // The path alone: a query can hold what does not belong in a log.
  const name = `${task.request.method} ${task.request.url.split('?', 1)[0]}`
  let child: ReplayChild | undefined
  try {
    await task.update({ state: 'starting', worker: workerName() })
    child = await spares.take()
    const outcome = await replay(task, child)
    await report(task, outcome)
    log(`${name}: ${outcome.run.response?.statusCode} in ${Math.round((outcome.run.wallTime ?? 0) / 1000)} ms, replay ${task.id}`)
  } catch (error) {
    log(`${name}: ${(error as Error).message}, replay ${task.id}`)
    await task.update({ state: 'failed', finishedAt: Date.now(), error: failure(error) })
  } finally {
    // Not awaited: the report is there, and the next replay must not wait for an app that closes slowly.
    child?.close().catch(() => {})
    spares.fill().catch(error => log(`The next replay process did not start: ${error.message}`))
  }
}

async function replay (task: ReplayTask, child: ReplayChild): Promise<ReplayOutcome> {
  await child.prepare(task.request)
  await task.claim()
  return child.replay(task.request)
}

async function report (task: ReplayTask, { file, run }: ReplayOutcome): Promise<void> {
  const finished = {
    finishedAt: Date.now(),
    ...(run.response === undefined ? {} : { statusCode: run.response.statusCode }),
    ...(run.wallTime === undefined ? {} : { wallTime: run.wallTime / 1000 })
  }
  await task.update({ state: 'rendering', ...finished })
  const raw = await readFile(file)
  // The raw profile first: it is what is left when the drawing fails.
  await task.attach(RAW_PROFILE, raw)
  try {
    await task.attach(REPORT, await renderReport(importCpuProfile(raw)))
  } catch (cause) {
    throw new WorkerError('GEORDI_REPORT_FAILED', `The report could not be drawn (${(cause as Error).message}). The raw profile is there: open it in Chrome DevTools.`, { cause })
  }
  await task.update({ state: 'done' })
}
