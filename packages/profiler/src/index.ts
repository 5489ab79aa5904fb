export { createCpuProfiler, type CpuProfiler, type CpuProfilerOptions, type Engine } from './cpu-profiler.ts'
export { withRun, type CpuProfile, type CpuProfileNode } from './cpu-profile.ts'
export { mergeWaits } from './merge/merge.ts'
export { ProfilerError, type ProfilerErrorCode } from './errors.ts'
