import { cutStacks, type CutStacks, type Profile } from '@geordi/profile'
import { SourceResolver } from '@geordi/profile/sources'
import { graphOf } from './build.ts'
import { countedOf, timesOf } from './function-times.ts'
import type { CallGraph, ProfileTimes } from './graph.ts'
import { fillOptions, type CallGraphOptions } from './options.ts'
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
  /** The whole recording, whatever part of it is looked at, with places from source maps, and with names for the application's own functions. */
  readonly recording: Profile
  /** Its shares are of the time of that part: `graph.times.total`. */
  readonly graph: CallGraph
  /**
   * The times of the whole recording. `whole.times.total` less `graph.times.total` is what the view leaves out; its functions are those of the wall time
   * where waits were recorded, else of the busy time, whatever the graph counts.
   */
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
  const filled = fillOptions(graphOptions, located)
  const usual = fillOptions({}, located).time
  const ofWhole = timesOf(located, usual)
  const { times, functions } = ofWhole
  const cut = located.waits?.recording.cut ?? cutStacks(located)
  const searched = looksForNames(view) && resolver !== undefined ? await resolver.resolve(located, byTotal({ functions })) : located
  const viewed = viewProfile(searched, view)
  // Names don't change times: the whole recording needs adding up once.
  const isWhole = viewed === searched && filled.time === usual
  const graph = graphOf(viewed, filled, isWhole ? ofWhole : timesOf(viewed, filled.time))
  const shown = [...graph.nodes.map(({ frame }) => frame), ...topFunctions(graph, 'self', TOPS), ...topFunctions(graph, 'total', TOPS)]
  const named = await resolver?.resolve(viewed, naming === 'all' ? [...shown, ...byTotal(graph)] : shown) ?? viewed
  // Findings and the tables of waits tell who called; the graph may leave those functions out.
  const recording = await resolver?.resolve(located, ownOf(located, ofWhole)) ?? located
  const notes = [...cutNotes(cut), ...recordingNotes(located), ...sourceNotes(resolver?.notes ?? [], profile.run)]
  const whole: ProfileTimes = { times: { ...times, total: countedOf(times, graph.options.time) }, functions }
  return { profile: named, recording, graph, whole, view, cut, notes }
}

function cutNotes ({ samples }: CutStacks): string[] {
  if (samples === 0) return []
  const which = samples === 1 ? 'The stack of 1 sample was' : `The stacks of ${samples} samples were`
  return [`${which} deeper than the 255 frames that V8 records: who called the rest is unknown, and the total times of outer functions are too small.`]
}

function recordingNotes ({ waits, startTime }: Profile): string[] {
  const { simplerSince, countsSince, assumed } = waits?.recording ?? {}
  const after = (since: number) => `after ${((since - startTime) / 1e6).toFixed(1)} s`
  return [
    // Who counts follows no callers either.
    ...simplerSince !== undefined && simplerSince !== countsSince
      ? [`Following callers across await took too much of the run's time: ${after(simplerSince)}, callers are only told as far as V8 knows them.`]
      : [],
    ...assumed !== undefined
      ? [`To look where each operation is called would take too much: ${assumed.toLocaleString('en-US')} of them are told where the one before of their kind was called.`]
      : [],
    ...countsSince !== undefined
      ? [`There were too many waits to keep each: ${after(countsSince)}, those for one operation from one place are counted together, and callers are only told as far as V8 knows them.`]
      : []
  ]
}

function looksForNames ({ root, focus }: FilledViewOptions): boolean {
  return root !== undefined || (typeof focus === 'object' && 'function' in focus)
}

/** The budget for parsing goes to the functions that matter. */
function byTotal (times: Pick<ProfileTimes, 'functions'>): number[] {
  return topFunctions(times, 'total', Infinity)
}

/** The application's own functions, also those that are known of calls only. */
function ownOf ({ frames }: Profile, { functions: { kind, total } }: Pick<ProfileTimes, 'functions'>): number[] {
  return Array.from(frames.keys()).filter(frame => kind[frame] === 'app').sort((a, b) => (total[b] as number) - (total[a] as number))
}
