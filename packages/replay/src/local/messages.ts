import type { ReplayErrorCode } from '../errors.ts'

/** What the parent tells its guard process: once `start`, then perhaps `stop`. */
export type GuardOrder =
  | {
    type: 'start'
    kind: 'redis' | 'postgres'
    /** The Redis binary; unused for PostgreSQL. */
    command: string | null
    folder: string
    /** Whether the guard removes the folder in the end. */
    temporary: boolean
    port: number | null
  }
  | { type: 'stop' }

/** What a guard process tells its parent. */
export type GuardReport =
  | { type: 'ready', url: string, pid: number }
  | { type: 'failed', code: ReplayErrorCode | null, message: string }
  | { type: 'died', reason: string }
