/**
 * Where a replay stands.
 * - `queued`: waits for a worker
 * - `starting`: a worker has it and waits for the app to come up; it has not run
 * - `running`: the request is being replayed
 * - `rendering`: it has ended; the report is being made
 * - `done`: the report is there
 * - `failed`: `error` says why; `artefacts` may hold what was recorded until then, the report among it
 * - `lost`: its worker died. Derived by who reads, because the dead write nothing.
 */
export type ReplayState = 'queued' | 'starting' | 'running' | 'rendering' | 'done' | 'failed' | 'lost'

/** States that don't change any more. */
export const FINAL_STATES: ReadonlySet<ReplayState> = new Set(['done', 'failed', 'lost'])

/** All that is known of a replay but its artefacts' bytes. Times are milliseconds since 1970. */
export interface Replay {
  /** As `isReplayId` knows it. */
  readonly id: string
  readonly state: ReplayState
  readonly method: string
  /** Path and query as they are to be shown: without geordi's parameter and the values of credentials. */
  readonly url: string
  /** Who asked for the profile, from the plugin's `identify` option. */
  readonly by?: string
  /** When it was captured and queued. */
  readonly queuedAt: number
  /** While it is queued: its place in the queue, 1 for the next. Derived by who reads. */
  readonly place?: number
  /** No worker may take it from the queue after this. */
  readonly startBefore: number
  /** When a worker took it from the queue. */
  readonly takenAt?: number
  /** When the request was sent to the app. */
  readonly startedAt?: number
  /** When the answer was complete and the profile written, or the replay had failed. */
  readonly finishedAt?: number
  /** When the report was there. */
  readonly doneAt?: number
  /** Host name and pid of the worker. */
  readonly worker?: string
  /** Name, version and revision of the app that its process has loaded, from its package.json and the environment or git's files at that time. */
  readonly app?: string
  /** When that process was started: workers that were deployed at different times run different code. */
  readonly loadedAt?: number
  /** What the app answered. */
  readonly statusCode?: number
  /** From the request's arrival to the end of the answer, in milliseconds. */
  readonly wallTime?: number
  readonly error?: ReplayFailure
  /** When the last snapshot was taken of it: what the artefact {@link SNAPSHOT} shows. */
  readonly snapshotAt?: number
  /** Whether the request can have had effects: false until it is sent to the app. */
  readonly ran: boolean
  /** Names of the artefacts that can be fetched. */
  readonly artefacts: readonly string[]
}

/** Why a replay failed: a stable code for programs, words for the admin. */
export interface ReplayFailure {
  readonly code: string
  readonly message: string
}

/** An error as a replay's record keeps it. */
export function failure (error: unknown): ReplayFailure {
  const { code, message } = error as { code?: unknown, message?: unknown }
  return {
    code: typeof code === 'string' ? code : 'GEORDI_UNEXPECTED',
    message: typeof message === 'string' ? message : String(error)
  }
}

/** The artefact with the report, a PDF. An artefact's name is also the last part of its URL. */
export const REPORT = 'report.pdf'
/** The artefact with what the replay did until an admin asked for it: a report as {@link REPORT}, made while it went on. */
export const SNAPSHOT = 'snapshot.pdf'
/** The artefact with the profile that the report is drawn from, as V8 recorded it: JSON for Chrome DevTools and `geordi render`. */
export const RAW_PROFILE = 'profile.cpuprofile'
