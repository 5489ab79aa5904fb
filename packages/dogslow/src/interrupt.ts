import type { RawReport } from './describe.ts'

/** Where the main thread keeps the functions that answer the watcher: a Map by instance. */
export const SNAPSHOTS = Symbol.for('@geordi/dogslow')

/** What the watcher's script is called in stacks. */
export const INTERRUPT_SCRIPT = 'dogslow-interrupt'

export interface SnapshotQuestion {
  readonly purpose: 'blocked' | 'stopped' | 'memory'
  /** Of `stopped`. */
  readonly cause: string
  /** The main thread's `performance.now()` from which on nobody waits for the answer any more. */
  readonly deadline: number
  /** The id that a report is to have. */
  readonly report: string
}

export type SnapshotAnswer =
  | { readonly type: 'report', readonly report: RawReport }
  /** Nothing blocks, no request is due, or there is memory left. */
  | { readonly type: 'idle' }
  /** The thread was in a native call until now. */
  | { readonly type: 'late', readonly stack: string[] }

/** The script that asks. */
export function questionScript (instance: string, question: SnapshotQuestion): string {
  return `globalThis[Symbol.for('@geordi/dogslow')]?.get(${JSON.stringify(instance)})?.(${JSON.stringify(question)})\n//# sourceURL=${INTERRUPT_SCRIPT}`
}
