import type { Profile } from '@geordi/profile'
import { PdfCanvas } from './canvas/pdf.ts'
import { SvgCanvas } from './canvas/svg.ts'
import { titleOf } from './names.ts'
import { fillOptions, type ReportOptions } from './options.ts'
import { drawGraphPage } from './pages/graph.ts'
import { drawReport } from './pages/report.ts'
import { prepare } from './prepare.ts'

/**
 * Makes the report of a profile: a PDF with a summary on A4, the call graph on a page of its own size, and a table of its
 * functions. Text is real and in embedded fonts, in any script. Boxes lead to their rows in the table, and back. Any profile gives a report: where there is
 * nothing to draw, it says why; where the graph takes too long to lay out, a smaller one is drawn, and it says so.
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
  return (await prepareReport(profile, options)).pdf()
}

/**
 * Makes the call graph's page of the report as an SVG: the same layout, colours and legend. It needs no other files, runs no script, and tells a pointer
 * that rests on a box the function's whole name and times. With `sourceLink`, boxes lead to their sources.
 *
 * @param options Those of `renderReport`; an SVG has no date.
 * @returns The SVG's text.
 * @throws As `renderReport`.
 */
export async function renderSvg (profile: Profile, options?: ReportOptions): Promise<string> {
  return (await prepareReport(profile, options)).svg()
}

/** A report of which the graph is made and laid out once, whatever is drawn of it. */
export interface PreparedReport {
  /** As {@link renderReport}. */
  pdf (): Promise<Uint8Array>
  /** As {@link renderSvg}. */
  svg (): Promise<string>
}

/**
 * Makes all that a report's PDF and its SVG have in common, for who wants both.
 *
 * @param options Those of `renderReport`.
 * @throws As `renderReport`.
 */
export async function prepareReport (profile: Profile, options?: ReportOptions): Promise<PreparedReport> {
  const filled = fillOptions(options)
  const prepared = await prepare(profile, filled)
  const title = titleOf(profile.run)
  return {
    pdf: async () => {
      const info = { title, subject: 'CPU profile and call graph', createdAt: filled.createdAt }
      const canvas = await drawReport(() => new PdfCanvas(prepared.type, info), prepared)
      return canvas.finish()
    },
    svg: async () => {
      const { content, drawable } = await prepared.laidOut
      const canvas = new SvgCanvas(prepared.type, title)
      drawGraphPage(canvas, content, drawable)
      return canvas.finish()
    }
  }
}
