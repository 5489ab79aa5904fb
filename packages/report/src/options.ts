import type { CallGraphOptions, ViewOptions } from '@geordi/callgraph'
import { ReportError } from './errors.ts'
import { checkSourceLink, type SourceLink } from './source-link.ts'

/** How a report is made. */
export interface ReportOptions {
  /**
   * What of the profile is drawn as a graph.
   * @defaultValue the call graph's own defaults: at most 80 functions
   */
  readonly graph?: CallGraphOptions & ViewOptions
  /**
   * Milliseconds that laying out one graph may take, from 1. Over it, a graph of half as many functions is tried.
   * @defaultValue 5000
   */
  readonly layoutTimeLimit?: number
  /**
   * Look at the scripts' sources, source maps and package.json files on this machine for names that tell, original places and
   * versions. Without it, or where they aren't there, functions are shown as V8 knows them.
   * @defaultValue true
   */
  readonly sources?: boolean
  /**
   * Makes functions' places links to their source: in an editor, or in a repository on the web.
   * @defaultValue no links
   */
  readonly sourceLink?: SourceLink
  /**
   * The date that the PDF's metadata tell.
   * @defaultValue now
   */
  readonly createdAt?: Date
}

/** The options with their defaults filled in. */
export interface FilledReportOptions {
  readonly graph: CallGraphOptions & ViewOptions
  readonly layoutTimeLimit: number
  readonly sources: boolean
  readonly sourceLink: SourceLink | undefined
  readonly createdAt: Date
}

const NAMES = ['graph', 'layoutTimeLimit', 'sources', 'sourceLink', 'createdAt']

/** Checks the options and fills in the defaults; `undefined` stands for the default. Those of the graph are checked by it. */
export function fillOptions (options: ReportOptions = {}): FilledReportOptions {
  const stranger = Object.keys(options).find(name => !NAMES.includes(name))
  if (stranger !== undefined) throw bad(`"${stranger}" is no option of the report: it has ${NAMES.join(', ')}.`)
  const { graph = {}, layoutTimeLimit = 5000, sources = true, sourceLink, createdAt = new Date() } = options
  if (typeof layoutTimeLimit !== 'number' || !(layoutTimeLimit >= 1)) {
    throw bad(`The option "layoutTimeLimit" takes milliseconds from 1, not ${String(layoutTimeLimit)}.`)
  }
  if (typeof sources !== 'boolean') throw bad(`The option "sources" takes true or false, not ${String(sources)}.`)
  if (!(createdAt instanceof Date) || Number.isNaN(createdAt.getTime())) throw bad('The option "createdAt" takes a valid Date.')
  return Object.freeze({
    graph, layoutTimeLimit, sources, sourceLink: sourceLink === undefined ? undefined : checkSourceLink(sourceLink), createdAt
  })
}

function bad (message: string): ReportError {
  return new ReportError('GEORDI_REPORT_BAD_OPTION', message)
}
