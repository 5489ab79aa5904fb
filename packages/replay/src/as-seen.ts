import { FINAL_STATES, type Replay } from './record.ts'
import type { StoredReplay } from './store.ts'

/**
 * A replay as its reader sees it. What nobody writes is derived here: its place in the queue, that its
 * worker has died, that no worker came, or that who cancelled it died over it.
 * @param readAt When the reader began to read: a worker that has taken it in time has its lease by then.
 */
export function asSeen (replay: Replay, { claimed, leased, place }: StoredReplay, readAt: number): Replay {
  if (leased || FINAL_STATES.has(replay.state)) return replay
  if (replay.state === 'queued') {
    // A worker claims what it starts; what still waits is claimed by who takes it back.
    if (claimed) return { ...replay, state: 'failed', error: { code: 'GEORDI_REPLAY_CANCELLED', message: 'The replay was cancelled.' } }
    if (readAt > replay.startBefore) return { ...replay, ...waitedTooLong(replay) }
    if (place !== undefined) return { ...replay, place }
  }
  return { ...replay, state: 'lost', ran: claimed, error: { code: 'GEORDI_WORKER_LOST', message: howItWasLost(replay, claimed) } }
}

/** A worker that can't write is lost to its reader as well. */
function howItWasLost ({ finishedAt, statusCode }: Replay, claimed: boolean): string {
  if (!claimed) return 'The worker died before it ran the request. Nothing was run; ask for the profile again.'
  if (finishedAt === undefined) return 'The worker died while it replayed the request, or could not write what became of it. Whether the request did its work is unknown; it is not run again.'
  return `The worker died while it drew the report, or could not write it. The request had ended by then${statusCode === undefined ? '' : `: the app answered ${statusCode}`}. It is not run again.`
}

/** What becomes of a request that no worker took in time. */
export function waitedTooLong ({ queuedAt, startBefore }: Replay) {
  return {
    state: 'failed',
    error: {
      code: 'GEORDI_REPLAY_LATE',
      message: `The request waited for a worker for longer than ${inWords(startBefore - queuedAt)}; it was not run. See that a worker runs on this queue (geordi worker), and ask for the profile again.`
    }
  } as const
}

const UNITS = [[3_600_000, 'hour'], [60_000, 'minute'], [1000, 'second']] as const

/** Milliseconds in the largest unit that they are a whole number of. */
function inWords (milliseconds: number): string {
  const [size, unit] = UNITS.find(([size]) => milliseconds % size === 0) ?? UNITS[2]
  const count = milliseconds / size
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`
}
