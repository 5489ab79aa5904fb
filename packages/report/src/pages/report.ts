import type { Canvas } from '../canvas/canvas.ts'
import type { Content } from '../content.ts'
import type { Prepared } from '../prepare.ts'
import { drawFunctions } from './functions.ts'
import { drawGraphPage } from './graph.ts'
import { drawSummary } from './summary.ts'
import { drawTimeline } from './timeline.ts'
import { drawWaits } from './waits.ts'

/** What comes after the graph, in this order; each adds as many pages as it takes, or none. */
const PAGES: ReadonlyArray<(canvas: Canvas, content: Content) => void> = [drawFunctions, drawWaits, drawTimeline]

/** All pages of the report. The summary is drawn while the layout's thread still works. */
export async function drawReport<T extends Canvas> (begin: () => T, { content, laidOut }: Pick<Prepared, 'content' | 'laidOut'>): Promise<T> {
  let canvas = begin()
  drawSummary(canvas, content)
  const { content: final, drawable } = await laidOut
  if (final !== content) {
    // The graph had to be made smaller, and the summary says so, too.
    canvas = begin()
    drawSummary(canvas, final)
  }
  drawGraphPage(canvas, final, drawable)
  for (const draw of PAGES) draw(canvas, final)
  return canvas
}
