// What files tell of frames
export { resolveSources, SourceResolver, type SourceLimits, type SourceNote, type SourceOptions } from './resolve.ts'
export type { ReadFile } from './files.ts'
