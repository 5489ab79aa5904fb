import { failure, RAW_PROFILE, REPORT, SNAPSHOT, workerName, type CapturedRequest, type ReplayTask } from '@geordi/replay'
import type { ReplayOutcome } from './assemble.ts'
import { withoutCredentials } from './credentials.ts'
import type { Drawer } from './drawing/drawer.ts'
import { WorkerError } from './errors.ts'
import type { ReplayChild } from './replay-child.ts'
import { Snapshots } from './snapshots.ts'
import type { SpareKeeper } from './spare.ts'
import { unless } from './unless.ts'
import type { Log } from './worker.ts'

/** How many processes are tried before a request is given up that none has run. */
const ATTEMPTS = 2

/** What a worker's replays have in common. */
export interface Bench {
  readonly spares: SpareKeeper
  readonly drawer: Drawer
  /** Milliseconds that a replay may take. */
  readonly limit?: number
  /** Ends all replays, with its reason. */
  readonly closing: AbortSignal
  readonly log: Log
}

/** One replay from the queue to the report. What goes wrong is written where the admin looks. */
export async function perform (task: ReplayTask, { spares, drawer, limit, closing, log }: Bench): Promise<void> {
  // The path alone: a query can hold what does not belong in a log.
  const name = `${task.request.method} ${task.request.url.split('?', 1)[0]}`
  // Not `AbortSignal.any`, which a source that lives as long as the worker keeps hold of for a while.
  const ending = new AbortController()
  const end = ending.signal
  const causes = [task.cancelled, closing]
  const stop = () => ending.abort(causes.find(({ aborted }) => aborted)!.reason)
  for (const cause of causes) cause.addEventListener('abort', stop)
  if (closing.aborted) stop()
  let timer: NodeJS.Timeout | undefined
  let child: ReplayChild | undefined
  const snapshots = new Snapshots(at => takeSnapshot(task, child!, drawer, at).catch((error: Error) => log(`No snapshot of replay ${task.id}: ${error.message}`)))
  try {
    await task.update({ state: 'starting', takenAt: Date.now(), worker: workerName() })
    child = await ready(task.request, spares, end)
    await task.update({ state: 'starting', ...child.loaded })
    await task.claim()
    if (limit !== undefined) timer = setTimeout(() => ending.abort(overLimit(limit)), limit)
    task.onSnapshot(at => snapshots.order(at))
    const outcome = await replay(child, task.request, end)
    clearTimeout(timer)
    task.onSnapshot(() => {})
    await unless(end, report(task, outcome, drawer, end))
    await task.update({ state: 'done', doneAt: Date.now() })
    log(`${name}: ${outcome.run.response?.statusCode} in ${Math.round((outcome.run.wallTime ?? 0) / 1000)} ms, replay ${task.id}`)
  } catch (error) {
    task.onSnapshot(() => {})
    log(`${name}: ${(error as Error).message}, replay ${task.id}`)
    // A replay that was claimed before is another worker's to write about, or lost; either is known by its record.
    if ((error as NodeJS.ErrnoException).code === 'GEORDI_REPLAY_CLAIMED') return
    await fail(task, error, child?.partial, { drawer, log })
  } finally {
    clearTimeout(timer)
    for (const cause of causes) cause.removeEventListener('abort', stop)
    // Not awaited: the report is there, and the next replay must not wait for an app that closes slowly.
    child?.close().catch(() => {})
    spares.fill().catch((error: Error) => log(error.message))
    await snapshots.idle()
  }
}

function overLimit (limit: number): WorkerError {
  return new WorkerError('GEORDI_REPLAY_LIMIT', `The replay took longer than ${limit / 1000} s and was ended. The worker's option --limit says so.`)
}

/**
 * A process that waits for this request. Nothing has run yet, so a spare that dies just now is replaced.
 * @throws the signal's reason, when that comes first
 */
async function ready (request: CapturedRequest, spares: SpareKeeper, end: AbortSignal): Promise<ReplayChild> {
  const coming = prepared(request, spares, end)
  try {
    return await unless(end, coming)
  } catch (error) {
    coming.then(child => child.close(), () => {})
    throw error
  }
}

async function prepared (request: CapturedRequest, spares: SpareKeeper, end: AbortSignal): Promise<ReplayChild> {
  for (let attempt = 1; ; attempt++) {
    const child = await spares.take()
    try {
      await unless(end, child.prepare(request))
      return child
    } catch (error) {
      child.close().catch(() => {})
      if (end.aborted || attempt === ATTEMPTS) throw error
    }
  }
}

/** @throws the signal's reason, when that comes first */
async function replay (child: ReplayChild, request: CapturedRequest, end: AbortSignal): Promise<ReplayOutcome> {
  const interrupt = () => { child.interrupt(end.reason as Error).catch(() => {}) }
  end.addEventListener('abort', interrupt)
  try {
    // Between the claim and here nobody listened.
    end.throwIfAborted()
    return await child.replay(request)
  } finally {
    end.removeEventListener('abort', interrupt)
  }
}

/** Stores the profile and the report that is drawn from it. @throws WorkerError `GEORDI_REPORT_FAILED` */
async function report (task: ReplayTask, { profile, run }: ReplayOutcome, drawer: Drawer, end?: AbortSignal): Promise<void> {
  const finished = {
    finishedAt: Date.now(),
    ...(run.response === undefined ? {} : { statusCode: run.response.statusCode }),
    ...(run.wallTime === undefined ? {} : { wallTime: run.wallTime / 1000 })
  }
  await task.update({ state: 'rendering', ...finished })
  // The raw profile first: it is what is left when the drawing fails.
  await attach(task, RAW_PROFILE, profile)
  let drawn: Uint8Array
  try {
    drawn = await drawer.draw(profile, end)
  } catch (cause) {
    throw new WorkerError('GEORDI_REPORT_FAILED', `The report could not be drawn (${(cause as Error).message}). The raw profile is there: open it in Chrome DevTools.`, { cause })
  }
  await attach(task, REPORT, drawn)
}

/** @throws WorkerError `GEORDI_REPORT_FAILED` */
async function attach (task: ReplayTask, artefact: string, bytes: Uint8Array): Promise<void> {
  try {
    await task.attach(artefact, bytes)
  } catch (cause) {
    throw new WorkerError('GEORDI_REPORT_FAILED', `The replay has ended, but there was no place for ${artefact} (${bytes.length} bytes). ${(cause as Error).message}`, { cause })
  }
}

async function takeSnapshot (task: ReplayTask, child: ReplayChild, drawer: Drawer, at: number): Promise<void> {
  const outcome = await child.snapshot()
  if (outcome === undefined) throw new Error('nothing is recorded yet, and the app is in a call that can\'t be interrupted.')
  await task.attach(SNAPSHOT, await drawer.draw(outcome.profile), { snapshotAt: at })
}

/** Says where the admin looks why there was no end, with what was recorded until then. */
async function fail (task: ReplayTask, error: unknown, partial: ReplayOutcome | undefined, { drawer, log }: Pick<Bench, 'drawer' | 'log'>): Promise<void> {
  const finishedAt = Date.now()
  // That there is less to see than there could be is no news beside the error itself.
  if (partial !== undefined) await report(task, partial, drawer).catch((failed: Error) => log(`${failed.message}, replay ${task.id}`))
  const { code, message } = failure(error)
  await task.update({ state: 'failed', finishedAt, error: { code, message: error instanceof WorkerError ? withoutCredentials(error.messageWithOutput, task.request) : message } })
}
