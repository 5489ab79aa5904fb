// The model
export type {
  CallTree, Frame, FramePlace, FrameSource, Profile, Run, RunProcess, RunProfiler, RunRequest, RunResponse, Samples
} from './model.ts'
export {
  WAIT_OUTCOMES, type CallSite, type LockKind, type LoopBlock, type WaitCounts, type WaitKind, type WaitLock, type WaitOperation, type WaitOutcome, type Waits, type WaitsRecording
} from './waits.ts'

// .cpuprofile files
export { importCpuProfile, parseCpuProfile } from './cpuprofile/import.ts'
export { exportCpuProfile } from './cpuprofile/export.ts'
export type { CpuProfile, CpuProfileCallFrame, CpuProfileMetadata, CpuProfileNode } from './cpuprofile/format.ts'

// What a frame is, and where
export { classifier, classify, type FrameKind } from './frame-kind.ts'
export { frameLocation, type FrameLocation } from './frame-location.ts'
export { fileUrlOf } from './script-path.ts'
export { functionName, labelFunction, type FunctionLabel } from './frame-label.ts'
export { cutStacks, type CutStacks } from './cut-stacks.ts'

// Errors
export { ProfileError, type ProfileErrorCode } from './errors.ts'
