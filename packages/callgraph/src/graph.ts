import type { FunctionTimes } from './function-times.ts'
import type { FilledCallGraphOptions } from './options.ts'

/**
 * A call graph: who called whom, contexts merged by function. All times are microseconds. Shares are of `times.total`. Without recorded waits that is
 * the *busy* time, in which the thread wasn't idle: a request that waits for 97 % of its time would else have nothing but
 * small numbers. With them, what was waited for is a node like a function, and shares are of the whole time.
 *
 * Self times of `nodes`, plus `other.self` and the {@link outsideTimes}, sum to `times.total`.
 */
export interface CallGraph extends ProfileTimes {
  /** The functions shown, by total time, the longest first; a node's id is its index here. */
  readonly nodes: readonly GraphNode[]
  /** The calls shown, by time, the longest first. */
  readonly edges: readonly GraphEdge[]
  /** What isn't shown. */
  readonly other: GraphOther
  /**
   * The heaviest chain of calls from where the program was entered: ids of nodes, each once, in order of the first visit.
   * It ends where a function spends more itself than in its heaviest callee.
   */
  readonly criticalPath: readonly number[]
  /** The options that the graph was made with. */
  readonly options: FilledCallGraphOptions
}

/** The times of a profile, whatever is shown of it. */
export interface ProfileTimes {
  readonly times: GraphTimes
  /** Self and total time of every function of the profile, shown or not. */
  readonly functions: FunctionTimes
}

/** Where the recorded time went, in microseconds, and how many samples that stands on. */
export interface GraphTimes {
  /** What shares are of, by the option `time`: `busy`, `wait` or `sampled`. */
  readonly total: number
  /** The whole recording: `busy` plus `wait` plus `idle`. */
  readonly sampled: number
  /** Code ran. */
  readonly busy: number
  /** Nothing ran, and what the recorded waits tell was waited for. */
  readonly wait: number
  /** The thread waited for input, output or a timer that no recorded wait tells of. */
  readonly idle: number
  /** Garbage collection that V8 recorded apart from the function that needed the memory. */
  readonly gc: number
  /** V8 or native code outside of any function. */
  readonly program: number
  /** What recording the waits took. */
  readonly recording: number
  /** How many samples the numbers stand on, without the idle ones; with recorded waits, those of the whole recording. */
  readonly busySamples: number
  /** How many samples there are, the idle ones included; with recorded waits, those of the whole recording. */
  readonly samples: number
}

/** What is counted and in no function, in microseconds: nothing of it where `time` doesn't count it. */
export function outsideTimes ({ times: { gc, program, recording, idle }, options: { time } }: CallGraph): Pick<GraphTimes, 'gc' | 'program' | 'recording' | 'idle'> {
  if (time === 'wait') return { gc: 0, program: 0, recording: 0, idle: 0 }
  return { gc, program, recording, idle: time === 'wall' ? idle : 0 }
}

/** A function in the graph, or what was waited for. Times are microseconds, shares are of `times.total`, from 0 to 1. */
export interface GraphNode {
  /** Index into `Profile.frames`. */
  readonly frame: number
  /** Time in the function itself. */
  readonly self: number
  /** Time in the function and all it calls; a sample counts once, however often the function recurs in its stack. */
  readonly total: number
  /** `self` as a share. */
  readonly selfShare: number
  /** `total` as a share. */
  readonly totalShare: number
  /** Time of the samples in which no function that is shown is above this one. */
  readonly entry: number
  /** Whether it is on the critical path. */
  readonly critical: boolean
}

/** Calls of one function by another, all of them together. Times are microseconds, shares are of `times.total`, from 0 to 1. */
export interface GraphEdge {
  /** Id of the caller's node. */
  readonly from: number
  /** Id of the callee's node; a function that calls itself has `from` equal to `to`. */
  readonly to: number
  /** Time of the samples in whose stack this call is; a sample counts once. */
  readonly time: number
  /** `time` as a share. */
  readonly share: number
  /** More than half of the time passes through functions between the two that aren't shown. */
  readonly residual: boolean
  /** Whether it is on the critical path. */
  readonly critical: boolean
}

/** What the graph leaves out. Times are microseconds. */
export interface GraphOther {
  /** Functions that were sampled and aren't shown. */
  readonly functions: number
  /** Their self time. */
  readonly self: number
  /** Calls between shown functions that were left out. */
  readonly edges: number
}
