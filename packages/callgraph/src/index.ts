// The graph
export { buildCallGraph } from './build.ts'
export { buildNamedCallGraph, type NamedCallGraph, type NamedCallGraphOptions } from './named.ts'
export { topFunctions } from './top-functions.ts'
export type { CallGraph, GraphEdge, GraphNode, GraphOther, GraphTimes, ProfileTimes } from './graph.ts'
export type { FunctionTimes } from './function-times.ts'

// Exports
export { exportDot } from './exports/dot.ts'
export { exportCallGraph, type CallGraphFile, type CallGraphFileFunction, type CallGraphFileNode } from './exports/json.ts'

// Options
export type { FilledViewOptions, FunctionPattern, ViewOptions } from './view-options.ts'
export { DEFAULTS, type CallGraphOptions, type FilledCallGraphOptions } from './options.ts'

// Errors
export { CallGraphError, type CallGraphErrorCode } from './errors.ts'
