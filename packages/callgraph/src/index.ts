// The graph
export { buildCallGraph } from './build.ts'
export { buildNamedCallGraph, type NamedCallGraph, type NamedCallGraphOptions } from './named.ts'
export { topFunctions } from './top-functions.ts'
export { outsideTimes, type CallGraph, type GraphEdge, type GraphNode, type GraphOther, type GraphTimes, type ProfileTimes } from './graph.ts'
export type { FunctionTimes, TimeKind } from './function-times.ts'
export { labelFrame, waitFrames, waitKindName, type FrameLabel, type WaitFrame } from './wait-frames.ts'
export { waitShape, waitShapes, type WaitShape } from './wait-shapes.ts'

// Exports
export { exportDot } from './exports/dot.ts'
export { exportCallGraph, type CallGraphFile, type CallGraphFileFunction, type CallGraphFileNode } from './exports/json.ts'

// Options
export type { FilledViewOptions, FunctionPattern, ViewOptions } from './view-options.ts'
export { DEFAULTS, type CallGraphOptions, type FilledCallGraphOptions, type TimeView } from './options.ts'

// Errors
export { CallGraphError, type CallGraphErrorCode } from './errors.ts'
