// The graph
export { buildCallGraph } from './build.ts'
export type { CallGraph, GraphEdge, GraphNode, GraphOther, GraphTimes } from './graph.ts'
export type { FunctionTimes } from './function-times.ts'

// Options
export { DEFAULTS, type CallGraphOptions, type FilledCallGraphOptions } from './options.ts'

// Errors
export { CallGraphError, type CallGraphErrorCode } from './errors.ts'
