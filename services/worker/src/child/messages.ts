import type { CapturedRequest } from '@geordi/replay'
import type { Run } from '@geordi/profile'
import type { RecordingOptions } from '@geordi/profiler'
import type { longestText } from '../body-text.ts'

/** Where the profile is, in the replay process's folder; a process that exits while it is recorded leaves it there too. */
export const PROFILE_FILE = 'profile.cpuprofile'
/** What was recorded before, in the order of the numbers: the profile's earlier parts. A process that is killed leaves these. */
export const PART_FILE = /^part-(\d+)\.json$/
/** What is known of the run at the last part. */
export const RECORDS_FILE = 'records.json'
/** Where a thread of the process writes what was recorded until now, when somebody connects, and answers with {@link KeepAnswer}; also while the main thread is busy for ever. */
export const KEEP_SOCKET = 'keep.sock'

/** What became of it. */
export interface KeepAnswer {
  /** Whether there is a recording, and it is written. */
  readonly kept: boolean
  /** Why not. */
  readonly message?: string
}

/**
 * What the worker and its replay process say to each other over the IPC channel. The app may use the
 * same channel (`process.send('ready')` for pm2), so ours are marked.
 */
export type ToChild =
  /** Get ready for this request: the next one to arrive. */
  | { readonly geordi: 'prepare', readonly request: Omit<CapturedRequest, 'body'>, readonly text: ReturnType<typeof longestText>, readonly recording: RecordingOptions }
  /** The answer has arrived, or won't: stop the profiler and write its profile to the file. */
  | { readonly geordi: 'finish', readonly outcome: Pick<Run, 'response' | 'ended'> }
  /** The profile is safe: close the app and end. */
  | { readonly geordi: 'close' }

export type ToParent =
  /** The app listens; `app` is its name and version. */
  | { readonly geordi: 'listening', readonly app?: string }
  /** The profiler runs; the request goes to this unix socket. */
  | { readonly geordi: 'prepared', readonly socketPath: string, readonly protocol: WireProtocol }
  /** The profile is in the file. */
  | { readonly geordi: 'finished', readonly run: Run }
  | { readonly geordi: 'failed', readonly code: string, readonly message: string }

/** What the app's own server speaks on its socket. */
export type WireProtocol = 'http' | 'https' | 'h2c' | 'h2'

export function isMessage<Message extends ToChild | ToParent> (value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'geordi' in value
}
