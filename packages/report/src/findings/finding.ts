import type { Place } from '../waits/places.ts'

/** Why requests are slow: what a report can name. */
export type Cause =
  | 'n-plus-one' | 'identical' | 'slow-operation' | 'sequential' | 'regex' | 'database-lock' | 'mutex' | 'pool' | 'sync-io' | 'tiny-operations'
  | 'garbage' | 'module-loading' | 'serialising' | 'blocked-loop' | 'computing'

/** One reason why a run was slow, with what shows it. */
export interface Finding {
  readonly cause: Cause
  /** What is wrong, for a person who has to mend it. */
  readonly title: string
  /** The statement, pattern, file or module that it is about; `''` for none. */
  readonly subject: string
  /** The numbers that show it, as sentences without a full stop. */
  readonly evidence: readonly string[]
  /** The same numbers by name, for programs; times are microseconds, `…Share` is from 0 to 1. */
  readonly numbers: Readonly<Record<string, number>>
  /** Where in the code it is: the innermost of the application's own functions first, then who called it. */
  readonly places: readonly Place[]
  /** What it costs, in microseconds of wall time; what two findings have in common counts in both. */
  readonly time: number
  /** The same as a share of the wall time. */
  readonly share: number
  /** What to do, one sentence. */
  readonly advice: string
}
