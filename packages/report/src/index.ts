// The report
export { renderReport } from './render.ts'
export { warmUp } from './warm-up.ts'
export type { ReportOptions } from './options.ts'

// Errors
export { ReportError, type ReportErrorCode } from './errors.ts'
