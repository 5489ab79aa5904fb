import { buildNamedCallGraph, type CallGraph, topFunctions } from '@geordi/callgraph'
import { type Frame, labelFunction, type Profile } from '@geordi/profile'
import { type Content, wallTime } from './content.ts'
import { type DrawableGraph, fitLayout } from './fit-layout.ts'
import { Typesetter } from './fonts/typesetter.ts'
import { layoutGraph, startLayoutThread } from './layout/thread.ts'
import type { FilledReportOptions } from './options.ts'
import { MOST_ROWS } from './pages/top-functions.ts'
import { linkToSource } from './source-link.ts'
import { viewNotes } from './view-notes.ts'

/** All that the pages are drawn from. */
export interface Prepared {
  readonly type: Typesetter
  /** With the graph that is wanted. */
  readonly content: Content
  /** With the graph that could be laid out in time: the same content where that is the one wanted. */
  readonly laidOut: Promise<{ readonly content: Content, readonly drawable: DrawableGraph }>
}

/** Names what a profile's report shows, gets the fonts for it, and begins to lay it out. */
export async function prepare (profile: Profile, { graph: graphOptions, layoutTimeLimit, sources, sourceLink }: FilledReportOptions):
Promise<Prepared> {
  startLayoutThread()
  const told = await buildNamedCallGraph(profile, { ...graphOptions, sources })
  const { profile: named, graph: wanted, whole, view } = told
  const before = [...viewNotes(told), ...told.notes]
  const type = await Typesetter.for(textsOf(named, wanted, before))
  const source = linkToSource(sourceLink, profile.run)
  const content: Content = { profile: named, graph: wanted, wall: wallTime(named, whole), unit: view.granularity, hasBoxes: true, source, notes: before }
  const laidOut = fitLayout(type, named, wanted, sized => layoutGraph(sized, layoutTimeLimit), source).then(({ graph, drawable, notes }) => {
    return { drawable, content: notes.length === 0 ? content : { ...content, graph, hasBoxes: drawable.boxes.length > 0, notes: [...before, ...notes] } }
  })
  // Who draws waits for it; if the drawing fails before, nobody does.
  laidOut.catch(() => {})
  return { type, content, laidOut }
}

/** What may be written in a script of any kind: names and places of functions, and what the run tells. */
function * textsOf ({ frames, run }: Profile, graph: CallGraph, notes: readonly string[]): Generator<string> {
  yield JSON.stringify(run)
  yield * notes
  const tops = (['self', 'total'] as const).flatMap(key => topFunctions(graph, key, MOST_ROWS))
  for (const frame of new Set([...graph.nodes.map(({ frame }) => frame), ...tops])) {
    const { name, versionedLocation } = labelFunction(frames[frame] as Frame, run)
    yield name
    yield versionedLocation
  }
}
