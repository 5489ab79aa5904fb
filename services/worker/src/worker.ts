import { importCpuProfile } from '@geordi/profile'
import { failure, newReplayId, RAW_PROFILE, REPORT, Replays, workerName, type CapturedRequest, type ReplayTask } from '@geordi/replay'
import { renderReport, warmUp } from '@geordi/report'
import type { AppEntry } from './app-entry.ts'
import { WorkerError } from './errors.ts'
import type { ReplayChild, ReplayOutcome } from './replay-child.ts'
import { SpareKeeper } from './spare.ts'
import { TroubleLog } from './trouble-log.ts'
import type { WorkerSettings } from './worker-options.ts'

/** How many processes are tried before a request is given up that none has run. */
const ATTEMPTS = 2

/** A worker that takes replays from the queue. */
export interface Worker {
  /** Resolves when the queue server has answered for the first time, however long it is away; rejects when the worker is closed before. */
  readonly reached: Promise<void>
  /** Takes no more replays, waits for those under way, ends all processes. */
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
  const { queueUrl, queueName, secret, concurrency } = settings
  const replays = await Replays.open({ url: queueUrl, name: queueName, secret, role: 'worker' })
  const spares = new SpareKeeper({ ...settings, app, output: process.stderr }, concurrency, log)
  try {
    // The first report must not wait for Graphviz and fonts; a replay needs neither.
    await Promise.all([spares.fill(), warmUp().catch(error => log(`The reports are not ready yet: ${error.message}`))])
    const trouble = new TroubleLog(log)
    const consumer = await replays.consume(task => perform(task, spares, log), {
      concurrency,
      onError: error => trouble.error(error),
      onBack: () => trouble.back()
    })
    const reached = replays.find(newReplayId()).then(() => {})
    reached.catch(() => {})
    return {
      reached,
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
    await task.update({ state: 'starting', takenAt: Date.now(), worker: workerName() })
    child = await ready(task.request, spares)
    await task.claim()
    const outcome = await child.replay(task.request)
    await report(task, outcome)
    await task.update({ state: 'done', doneAt: Date.now() })
    log(`${name}: ${outcome.run.response?.statusCode} in ${Math.round((outcome.run.wallTime ?? 0) / 1000)} ms, replay ${task.id}`)
  } catch (error) {
    log(`${name}: ${(error as Error).message}, replay ${task.id}`)
    // A replay that was claimed before is another worker's to write about, or lost; either is known by its record.
    if ((error as NodeJS.ErrnoException).code === 'GEORDI_REPLAY_CLAIMED') return
    await fail(task, error, child?.partial, log)
  } finally {
    // Not awaited: the report is there, and the next replay must not wait for an app that closes slowly.
    child?.close().catch(() => {})
    spares.fill().catch((error: Error) => log(error.message))
  }
}

/** A process that waits for this request. Nothing has run yet, so a spare that dies just now is replaced. */
async function ready (request: CapturedRequest, spares: SpareKeeper): Promise<ReplayChild> {
  for (let attempt = 1; ; attempt++) {
    const child = await spares.take()
    try {
      await child.prepare(request)
      return child
    } catch (error) {
      child.close().catch(() => {})
      if (attempt === ATTEMPTS) throw error
    }
  }
}

/** Stores the profile and the report that is drawn from it. @throws WorkerError `GEORDI_REPORT_FAILED` */
async function report (task: ReplayTask, { profile, run }: ReplayOutcome): Promise<void> {
  const finished = {
    finishedAt: Date.now(),
    ...(run.response === undefined ? {} : { statusCode: run.response.statusCode }),
    ...(run.wallTime === undefined ? {} : { wallTime: run.wallTime / 1000 })
  }
  await task.update({ state: 'rendering', ...finished })
  // The raw profile first: it is what is left when the drawing fails.
  await task.attach(RAW_PROFILE, profile)
  try {
    await task.attach(REPORT, await renderReport(importCpuProfile(profile)))
  } catch (cause) {
    throw new WorkerError('GEORDI_REPORT_FAILED', `The report could not be drawn (${(cause as Error).message}). The raw profile is there: open it in Chrome DevTools.`, { cause })
  }
}

/** Says where the admin looks why there was no end, with what was recorded until then. */
async function fail (task: ReplayTask, error: unknown, partial: ReplayOutcome | undefined, log: Log): Promise<void> {
  const finishedAt = Date.now()
  // That there is less to see than there could be is no news beside the error itself.
  if (partial !== undefined) await report(task, partial).catch((failed: Error) => log(`${failed.message}, replay ${task.id}`))
  const { code, message } = failure(error)
  await task.update({ state: 'failed', finishedAt, error: { code, message: error instanceof WorkerError ? error.messageWithOutput : message } })
}
