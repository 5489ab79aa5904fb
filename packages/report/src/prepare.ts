import { buildNamedCallGraph, type CallGraph, labelFrame, topFunctions } from '@geordi/callgraph'
import type { Profile } from '@geordi/profile'
import { type Content, wallTime } from './content.ts'
import { findIn } from './findings/index.ts'
import type { Finding } from './findings/finding.ts'
import { type DrawableGraph, fitLayout } from './fit-layout.ts'
import { Typesetter } from './fonts/typesetter.ts'
import { layoutGraph, startLayoutThread } from './layout/thread.ts'
import type { FilledReportOptions } from './options.ts'
import { MOST_ROWS } from './pages/top-functions.ts'
import { linkToSource } from './source-link.ts'
import { viewNotes } from './view-notes.ts'
import { lookAt, type Look } from './waits/look.ts'
import { placeOfSite } from './waits/places.ts'
import { MOST_WAIT_ROWS } from './pages/waits.ts'

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
  const { profile: named, recording, graph: wanted, whole, view } = told
  const before = [...viewNotes(told), ...told.notes]
  const texts = [...textsOf(named, wanted, before)]
  const source = linkToSource(sourceLink, profile.run)
  // The layout's thread works while this one looks for the findings. Their texts may need more fonts, but no other ones for what the boxes say.
  const fitted = fitLayout(await Typesetter.for(texts), named, wanted, sized => layoutGraph(sized, layoutTimeLimit), source)
  // Who draws waits for it; if something fails before, nobody does.
  fitted.catch(() => {})
  const look = lookAt(recording)
  const findings = await findIn(look)
  const type = await Typesetter.for([...texts, ...textsOfWaits(look, findings)])
  const wall = wallTime(recording, whole)
  const content: Content = { profile: named, recording, graph: wanted, look, findings, wall, unit: view.granularity, hasBoxes: true, source, notes: before }
  const laidOut = fitted.then(({ graph, drawable, notes }) => {
    return { drawable, content: notes.length === 0 ? content : { ...content, graph, hasBoxes: drawable.boxes.length > 0, notes: [...before, ...notes] } }
  })
  laidOut.catch(() => {})
  return { type, content, laidOut }
}

/** What may be written in a script of any kind: names and places of functions, what was waited for, and what the run tells. */
function * textsOf (profile: Profile, graph: CallGraph, notes: readonly string[]): Generator<string> {
  yield JSON.stringify(profile.run)
  for (const { statement, target } of profile.waits?.operations ?? []) {
    yield statement
    yield target
  }
  yield * notes
  const tops = (['self', 'total'] as const).flatMap(key => topFunctions(graph, key, MOST_ROWS))
  for (const frame of new Set([...graph.nodes.map(({ frame }) => frame), ...tops])) {
    const { name, versionedLocation } = labelFrame(profile, frame)
    yield name
    yield versionedLocation
  }
}

/** What findings, table and timeline of the waits say of the program's own. */
function * textsOfWaits ({ profile, recorded }: Look, findings: readonly Finding[]): Generator<string> {
  yield JSON.stringify(findings)
  for (const { site } of recorded?.tallies.slice(0, MOST_WAIT_ROWS) ?? []) {
    if (site >= 0) yield JSON.stringify(placeOfSite(profile, site))
  }
}
