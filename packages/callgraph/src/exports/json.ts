import { frameLocation, type CutStacks, type Run } from '@geordi/profile'
import type { TimeKind } from '../function-times.ts'
import { outsideTimes, type GraphEdge, type GraphNode, type GraphOther, type GraphTimes } from '../graph.ts'
import type { NamedCallGraph } from '../named.ts'
import type { FilledCallGraphOptions } from '../options.ts'
import { topFunctions } from '../top-functions.ts'
import { labelFrame, type WaitFrame } from '../wait-frames.ts'

/**
 * A call graph as a JSON file. Times are microseconds, shares are of `times.total`. What is added later keeps the version; what changes its
 * meaning raises it.
 */
export interface CallGraphFile {
  format: 'geordi-callgraph'
  version: 1
  run: Run
  /** Of the part of the recording that the graph is of. */
  times: GraphTimes
  /** Of the whole recording: the same unless `view` chooses a part. */
  wholeTimes: GraphTimes
  /** A node's id is its index. By total time, the longest first. */
  nodes: CallGraphFileNode[]
  /** `from` and `to` are ids. By time, the longest first. */
  edges: GraphEdge[]
  /** What was left out. Self times of `nodes`, plus `other.self` and `outside`, sum to `times.total`. */
  other: GraphOther
  /** What is counted and in no function. */
  outside: Pick<GraphTimes, 'gc' | 'program' | 'recording' | 'idle'>
  /** The 20 functions with the most self and with the most total time, shown as nodes or not. */
  tops: { self: CallGraphFileFunction[], total: CallGraphFileFunction[] }
  /** Ids of the heaviest chain of calls. */
  criticalPath: number[]
  options: FilledCallGraphOptions
  /** Which part of the recording, and what a node is; regular expressions as `/source/flags`. */
  view: { root?: string, focus?: 'own' | { function: string } | { package: string }, granularity: 'function' | 'file' | 'package' }
  /** Samples of the whole recording whose outermost callers V8 didn't record. */
  cutStacks: CutStacks
  /** What a reader has to know, as sentences. */
  notes: string[]
}

/** A function of a {@link CallGraphFile}; times are microseconds. */
export interface CallGraphFileFunction {
  /** As the report names it. */
  name: string
  /** For people: `package/…/file:line`. */
  location: string
  kind: TimeKind
  /** What was waited for and how often; missing for a function. */
  wait?: WaitFrame
  /** Where it was written, by the source map where there is one; line and column count from 1, 0 is unknown. */
  url: string
  line: number
  column: number
  /** The npm package it belongs to; missing for the application's own code and for Node's. */
  package?: { name: string, version?: string }
  /** Time in the function itself. */
  self: number
  /** Time in the function and all it calls. */
  total: number
  /** The part of `total` in which code ran. */
  cpu: number
}

/** A box of the graph: see `GraphNode` for its numbers. */
export interface CallGraphFileNode extends CallGraphFileFunction, Pick<GraphNode, 'selfShare' | 'totalShare' | 'entry' | 'critical'> {
  /** Its index among the nodes. */
  id: number
}

const TOPS = 20

/** The call graph as an object for `JSON.stringify`. */
export function exportCallGraph (named: NamedCallGraph): CallGraphFile {
  const { profile, graph, whole, cut, notes } = named
  const { nodes, edges, other, times, criticalPath, options } = graph
  return {
    format: 'geordi-callgraph',
    version: 1,
    run: profile.run,
    times,
    wholeTimes: whole.times,
    nodes: nodes.map(({ frame, selfShare, totalShare, entry, critical }, id) =>
      ({ id, ...describe(named, frame), selfShare, totalShare, entry, critical })),
    edges: [...edges],
    other,
    outside: outsideTimes(graph),
    tops: {
      self: topFunctions(graph, 'self', TOPS).map(frame => describe(named, frame)),
      total: topFunctions(graph, 'total', TOPS).map(frame => describe(named, frame))
    },
    criticalPath: [...criticalPath],
    options,
    view: viewOf(named),
    cutStacks: cut,
    notes: [...notes]
  }
}

function describe ({ profile, graph: { functions } }: NamedCallGraph, at: number): CallGraphFileFunction {
  const frame = profile.frames[at] as typeof profile.frames[number]
  const { name, location, wait } = labelFrame(profile, at)
  const { url, line, column } = frame.source?.original ?? frame
  const { packageName, packageVersion } = frameLocation(frame, profile.run)
  return {
    name,
    location,
    kind: functions.kind[at] as TimeKind,
    ...wait !== undefined && { wait },
    url,
    line,
    column,
    ...packageName !== undefined && { package: { name: packageName, ...packageVersion !== undefined && { version: packageVersion } } },
    self: functions.self[at] as number,
    total: functions.total[at] as number,
    cpu: functions.cpu[at] as number
  }
}

function viewOf ({ view: { root, focus, granularity } }: NamedCallGraph): CallGraphFile['view'] {
  return {
    ...root !== undefined && { root: String(root) },
    ...focus !== undefined && { focus: typeof focus === 'object' && 'function' in focus ? { function: String(focus.function) } : focus },
    granularity
  }
}
