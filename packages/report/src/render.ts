import { buildCallGraph } from '@geordi/callgraph'
import type { Profile } from '@geordi/profile'
import { SourceResolver } from '@geordi/profile/sources'
import { Canvas } from './canvas.ts'
import { wallTime } from './content.ts'
import { fitLayout } from './fit-layout.ts'
import { layoutGraph } from './layout/thread.ts'
import { titleOf } from './names.ts'
import { fillOptions, type ReportOptions } from './options.ts'
import { drawGraphPage } from './pages/graph.ts'
import { drawSummary } from './pages/summary.ts'
import { topFrames } from './pages/top-functions.ts'
import { sourceNotes } from './source-notes.ts'

/**
 * Makes the report of a profile: a PDF with a summary on A4 and the call graph on a page of its own size. Text is real and in
 * an embedded font. Any profile gives a report: where there is nothing to draw, it says why; where the graph takes too long
 * to lay out, a smaller one is drawn, and it says so.
 *
 * Functions are named, placed and told apart by package from their sources on this machine, unless that is switched off; only the
 * functions that are shown cost parsing.
 *
 * The first call starts a thread for the layout, which is kept for the next one and doesn't keep the process alive.
 *
 * @param options See `ReportOptions` for the defaults.
 * @returns The PDF's bytes.
 * @throws {ReportError} for a wrong option, or when the thread for the layout fails.
 * @throws {CallGraphError} for a wrong option of the graph.
 */
export async function renderReport (profile: Profile, options?: ReportOptions): Promise<Uint8Array> {
  const { graph: graphOptions, layoutTimeLimit, sources, createdAt } = fillOptions(options)
  const resolver = sources ? new SourceResolver() : undefined
  const located = await resolver?.locate(profile) ?? profile
  const wanted = buildCallGraph(located, graphOptions)
  const shown = [...wanted.nodes.map(({ frame }) => frame), ...topFrames(wanted)]
  const named = await resolver?.resolve(located, shown) ?? located

  const canvas = new Canvas({ title: titleOf(profile.run), subject: 'CPU profile and call graph', createdAt })
  const { graph, drawable, notes } = await fitLayout(canvas, named, wanted, sized => layoutGraph(sized, layoutTimeLimit))
  const content = {
    profile: named,
    graph,
    wall: wallTime(named, graph),
    notes: [...notes, ...sourceNotes(resolver?.notes ?? [], profile.run)]
  }
  drawSummary(canvas, content)
  drawGraphPage(canvas, content, drawable)
  return canvas.finish()
}
