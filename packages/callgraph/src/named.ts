import { cutStacks, type CutStacks, type Profile } from '@geordi/profile'
import { SourceResolver } from '@geordi/profile/sources'
import { buildCallGraph } from './build.ts'
import { graphTimesOf, timesOf } from './function-times.ts'
import type { CallGraph, ProfileTimes } from './graph.ts'
import type { CallGraphOptions } from './options.ts'
import { sourceNotes } from './source-notes.ts'
import { topFunctions } from './top-functions.ts'
import { viewProfile } from './view.ts'
import { fillViewOptions, type FilledViewOptions, type ViewOptions } from './view-options.ts'

/** What is shown of a profile, and what it's called. */
export interface NamedCallGraphOptions extends CallGraphOptions, ViewOptions {
  /**
   * Look at the scripts' sources, source maps and package.json files on this machine for names that tell, original places and
   * versions.
   * @defaultValue true
   */
  readonly sources?: boolean
  /**
   * Which functions get names that tell: those that are shown, the nodes and the tops, or all, for exports of the whole call tree.
   * @defaultValue 'shown'
   */
  readonly naming?: 'shown' | 'all'
}

/** A call graph with names: what every picture and export of the graph shows. */
export interface NamedCallGraph {
  /** The part of the profile that is looked at, with names for what is shown of it; the graph's frames are this one's. */
  readonly profile: Profile
  /** Its shares are of the busy time of that part: `graph.times`. */
  readonly graph: CallGraph
  /** The times of the whole recording. `whole.times.busy` less `graph.times.busy` is what the view leaves out. */
  readonly whole: ProfileTimes
  readonly view: FilledViewOptions
  /** Samples of the whole recording whose outermost callers V8 didn't record; `notes` tells of them. */
  readonly cut: CutStacks
  /** What a reader has to know about how it came about, as sentences. */
  readonly notes: readonly string[]
}

/** As many of the top functions, by self and by total time, have names. */
const TOPS = 20

/**
 * Makes the call graph of a profile, or of the part of it that the view options choose, and names what is shown: the nodes, and the 20 top
 * functions by self and by total time. Only these cost parsing, unless `root` or `focus` look for functions by name.
 *
 * @throws {CallGraphError} for a wrong option, and where no sample is in the view.
 */
export async function buildNamedCallGraph (profile: Profile, options: NamedCallGraphOptions = {}): Promise<NamedCallGraph> {
  const { sources = true, naming = 'shown', root, focus, granularity, ...graphOptions } = options
  const view = fillViewOptions({ root, focus, granularity } as ViewOptions)
  const resolver = sources ? new SourceResolver() : undefined
  const located = await resolver?.locate(profile) ?? profile
  const times = timesOf(located)
  const whole: ProfileTimes = { times: graphTimesOf(times), functions: times.functions }
  const cut = cutStacks(located)
  const searched = looksForNames(view) && resolver !== undefined ? await resolver.resolve(located, byTotal(whole)) : located
  const viewed = viewProfile(searched, view)
  const graph = buildCallGraph(viewed, graphOptions)
  const shown = [...graph.nodes.map(({ frame }) => frame), ...topFunctions(graph, 'self', TOPS), ...topFunctions(graph, 'total', TOPS)]
  const named = await resolver?.resolve(viewed, naming === 'all' ? [...shown, ...byTotal(graph)] : shown) ?? viewed
  const notes = [...cutNotes(cut), ...sourceNotes(resolver?.notes ?? [], profile.run)]
  return { profile: named, graph, whole, view, cut, notes }
}

function cutNotes ({ samples }: CutStacks): string[] {
  if (samples === 0) return []
  const which = samples === 1 ? 'The stack of 1 sample was' : `The stacks of ${samples} samples were`
  return [`${which} deeper than the 255 frames that V8 records: who called the rest is unknown, and the total times of outer functions are too small.`]
}

function looksForNames ({ root, focus }: FilledViewOptions): boolean {
  return root !== undefined || (typeof focus === 'object' && 'function' in focus)
}

/** The budget for parsing goes to the functions that matter. */
function byTotal (whole: ProfileTimes): number[] {
  return topFunctions(whole, 'total', Infinity)
}
