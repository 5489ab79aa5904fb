// The model
export type {
  CallTree, Frame, FramePlace, FrameSource, Profile, Run, RunProcess, RunProfiler, RunRequest, RunResponse, Samples
} from './model.ts'

// .cpuprofile files
export { importCpuProfile } from './cpuprofile/import.ts'
export { exportCpuProfile } from './cpuprofile/export.ts'
export type { CpuProfile, CpuProfileCallFrame, CpuProfileMetadata, CpuProfileNode } from './cpuprofile/format.ts'

// What a frame is, and where
export { classify, type FrameKind } from './frame-kind.ts'
export { frameLocation, type FrameLocation } from './frame-location.ts'

// Errors
export { ProfileError, type ProfileErrorCode } from './errors.ts'
