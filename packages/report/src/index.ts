// The report
export { prepareReport, renderReport, renderSvg, type PreparedReport } from './render.ts'
export { startLayoutThread } from './layout/thread.ts'
export { warmUp } from './warm-up.ts'
export type { ReportOptions } from './options.ts'
export { checkSourceLink, type SourceLink } from './source-link.ts'

// Errors
export { ReportError, type ReportErrorCode } from './errors.ts'
