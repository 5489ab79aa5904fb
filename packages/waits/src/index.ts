// Recording, in the replay process
export { instrument } from './instrument.ts'
export { recordWaits, type WaitRecorder } from './record.ts'
export type { WaitsOptions } from './options.ts'

// What was recorded; what is needed to read it is in @geordi/waits/recording
export type { RecordedOperation, RecordedWaits, RecordingCost, WaitRecording } from './recording.ts'
export type { StackTable } from './stacks.ts'

// Words
export { normaliseSql } from './statement.ts'

// Errors
export { WaitsError, type WaitsErrorCode } from './errors.ts'
