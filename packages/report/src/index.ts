// The report
export { renderReport, renderSvg } from './render.ts'
export { warmUp } from './warm-up.ts'
export type { ReportOptions } from './options.ts'
export type { SourceLink } from './source-link.ts'

// Errors
export { ReportError, type ReportErrorCode } from './errors.ts'
