import type { CpuProfileCallFrame } from '../src/index.ts'

/** A node of a hand-made file; children or parent, as the test wants. */
export interface TestNode {
  id: number
  frame: CpuProfileCallFrame
  children?: number[]
  parent?: number
}

/** A call frame as V8 writes it, from line 0; -1 for what has no place. */
export function frame (functionName: string, url = '', lineNumber = -1, columnNumber = -1): CpuProfileCallFrame {
  return { functionName, scriptId: '0', url, lineNumber, columnNumber }
}

/** A `.cpuprofile` that begins at 1000 µs, of nodes and samples as `[id, delta]`. */
export function cpuProfile (nodes: readonly TestNode[], samples: ReadonlyArray<readonly [id: number, delta: number]>) {
  return {
    nodes: nodes.map(({ frame, ...node }) => ({ ...node, callFrame: frame, hitCount: samples.filter(([id]) => id === node.id).length })),
    startTime: 1000,
    endTime: 1000 + samples.reduce((sum, [, delta]) => sum + delta, 0),
    samples: samples.map(([id]) => id),
    timeDeltas: samples.map(([, delta]) => delta)
  }
}
