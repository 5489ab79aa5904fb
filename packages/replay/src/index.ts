// The captured request
export { encodeCapture, decodeCapture, type CapturedRequest, type CapturedConnection, type CapturedSession } from './capture.ts'
// The seal
export { createSealer, type Sealer } from './seal.ts'
// The queue and what became of each replay
export { Replays, type OrderedReplay, type ReplayConsumerOptions } from './replays.ts'
export { workerName, type ReplayTask } from './task.ts'
export { DEFAULT_LIMITS, type ReplayLimits, type ReplaysOptions } from './replays-options.ts'
export { isReplayId, newReplayId } from './replay-id.ts'
export { failure, FINAL_STATES, REPORT, RAW_PROFILE, SNAPSHOT, type Replay, type ReplayState, type ReplayFailure } from './record.ts'
export { backendFor, openBackend, type Backend, type BackendOptions, type ConsumeOptions, type Consumer } from './backend.ts'
export { type Excess, type ResultStore, type Retention, type StoredReplay, type Terms } from './store.ts'
// Text of strangers
export { printable } from './printable.ts'
// Errors
export { ReplayError, type ReplayErrorCode } from './errors.ts'
// The replay process's two sides
export { becomeReplayProcess, replayProcess, REPLAY_VARIABLE, type ReplayProcess, type ReplayedApp } from './replay-process.ts'
