import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { Frame, Profile } from '@geordi/profile'
import { renderReport } from './render.ts'

/**
 * Loads what a report takes (Graphviz, fonts, the parser) and lets V8 compile it, so that the first real report doesn't wait for it: about a
 * second. Not needed, and harmless to call more than once.
 *
 * @throws {ReportError} `GEORDI_REPORT_LAYOUT_FAILED` when the thread for the layout can't run.
 */
export async function warmUp (): Promise<void> {
  await renderReport(exercise())
}

const FUNCTIONS = 40

/** A made-up profile whose graph has what real ones have: names of all letters, long and short calls, cycles. */
function exercise (): Profile {
  const frames: Frame[] = [{ name: '(root)', url: '', line: 0, column: 0 }]
  const frame = [0]
  const parent = [-1]
  for (let at = 1; at <= FUNCTIONS; at++) {
    const name = String.fromCharCode(...Array.from({ length: 12 }, (_, letter) => 33 + (at * 7 + letter) % 90))
    frames.push({ name, url: `file:///warm/up/${name}.js`, line: at, column: 1 })
    parent.push(at >> 1)
    frame.push(at)
  }
  // Enough source for the parser to be compiled: it takes five times as long the first time.
  frames[1] = { name: '', url: pathToFileURL(createRequire(import.meta.url).resolve('pdfkit')).href, line: 2, column: 1 }
  for (let at = 1; at <= FUNCTIONS; at++) {
    parent.push(at)
    frame.push(1 + at * 11 % FUNCTIONS)
  }
  return {
    frames,
    tree: { frame: Int32Array.from(frame), parent: Int32Array.from(parent) },
    samples: { node: Int32Array.from(frame.keys()), duration: new Float64Array(frame.length).fill(1000) },
    startTime: 0,
    run: {}
  }
}
