import type { LockKind, LoopBlock, WaitKind } from '@geordi/profile'
export { fileUrl } from './file-url.ts'
export { readRecording } from './read-recording.ts'
import type { StackTable } from './stacks.ts'

/** The form of a recording that this version writes. */
export const RECORDING_VERSION = 1

/** Ends a stack that was cut at a boundary, where other stacks end with a place's index. */
export const CUT = -1

/** What a record is: bits of `records.flags`. */
export const FLAG = {
  /** A driver's call: its own code belongs to it. */
  driver: 1,
  /** The request's own code, called by the web framework. */
  root: 2,
  /** An `await` right after a driver's call or another's `await`, with the stack of the latter: the function that waits is in it or one of its callers. */
  borrowed: 4
} as const

/** Above the flags: how many async functions further out than its stack's innermost the one is that waits. */
export const LEVEL = 8

/** Markers that are no records. */
export const MARK = {
  /** The recorder's own work. */
  recorder: -1
} as const

/** How a recorded wait ended. */
export const OUTCOME = { done: 0, failed: 1, open: 2, discarded: 3 } as const

/** What an operation does; many waits share one. */
export interface RecordedOperation {
  readonly kind: WaitKind
  readonly target: string
  readonly statement: string
  readonly driver: string
  readonly sync: boolean
  readonly parameters?: boolean
  readonly connections?: number
  /** What its longest wait was asked with; left out unless somebody wanted it. */
  readonly values?: string
}

/** The waits as columns. Times are microseconds on the clock of `process.hrtime()`. */
export interface RecordedWaits {
  readonly operations: readonly RecordedOperation[]
  /** Index into `operations`. */
  readonly operation: readonly number[]
  /** The record that started it. */
  readonly record: readonly number[]
  readonly start: readonly number[]
  readonly end: readonly number[]
  /** See {@link OUTCOME}. */
  readonly outcome: readonly number[]
  readonly rows: ReadonlyArray<number | null>
  readonly bytes: ReadonlyArray<number | null>
  /** Equal for operations that asked for the same with the same values; 0 where the values aren't known. */
  readonly same: readonly number[]
  /** What of the rows stands for more than one wait, one after the other; left out where none does. */
  readonly counted?: readonly CountedWaits[]
}

/** A row that stands for several waits for one operation from one place: it lasts from the first one's start to the last one's end. */
export interface CountedWaits {
  /** Index into the columns of the waits, in their order. */
  readonly wait: number
  readonly count: number
  /** Microseconds that they took in all, and the longest of them. */
  readonly time: number
  readonly longest: number
}

/** A statement that waited for a lock, as its database told meanwhile. */
export interface RecordedLock {
  /** Index into the columns of the waits. */
  readonly wait: number
  readonly kind: LockKind
  /** Microseconds, at least. */
  readonly time: number
  /** Microseconds that it can have waited at most: for the rest it was seen to do something else, or not to have begun to wait yet. */
  readonly most?: number
  readonly holder: string
}

/**
 * What was recorded in the replay process, before sense is made of it: plain JSON, to be sent to another process.
 * `mergeWaits` of `@geordi/profiler` joins it with a CPU profile.
 */
export interface WaitRecording extends StackTable {
  readonly version: typeof RECORDING_VERSION
  /**
   * URLs of the recorder's own code, to know it in stacks: its folder, the file that calls the app's functions in a context of their own, and the
   * folders of those that use the recorder, where such are.
   */
  readonly recorder: { readonly folder: string, readonly boundary: string, readonly users?: readonly string[] }
  /** Microseconds on the clock of `process.hrtime()`. */
  readonly start: number
  readonly end: number
  /** Points from which code went on later; the index is the record's number, and 0 is nobody's. A parent precedes its records. */
  readonly records: {
    readonly parent: readonly number[]
    /** Index into `stacks`; -1 for none. */
    readonly stack: readonly number[]
    /** See {@link FLAG}. */
    readonly flags: readonly number[]
  }
  /** From each time on the code of that record ran: 0 for none, -1 for the recorder itself. */
  readonly markers: {
    readonly time: readonly number[]
    readonly record: readonly number[]
  }
  /** The pattern of the route that the request came to, and records of where it was registered and, where it was seen, in its handler; left out where that isn't known. */
  readonly route?: { readonly url: string, readonly registered: number, readonly handler?: number }
  readonly waits: RecordedWaits
  /** Left out in recordings of before. */
  readonly locks?: readonly RecordedLock[]
  /** Targets of servers that didn't tell their user which statements waited for row locks. */
  readonly silent?: readonly string[]
  readonly blocks?: readonly LoopBlock[]
  readonly cost: RecordingCost
}

/** What recording cost the request. */
export interface RecordingCost {
  /** Microseconds that taking and reading stacks took, by measuring some of them. */
  readonly time: number
  /** Stacks taken. */
  readonly captures: number
  /** Operations that came while stacks were too dear, or very often, and are taken to be called where the last one like them was; left out if there were none. */
  readonly assumed?: number
  /** Since when the recorder was past its budget and followed no continuations any more; left out if it never was. */
  readonly simplerSince?: number
  /** Since when it was past its memory and waits were only counted; left out if it never was. */
  readonly countsSince?: number
}
