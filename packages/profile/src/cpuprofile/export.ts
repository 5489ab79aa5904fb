import type { Frame, Profile } from '../model.ts'
import type { CpuProfile, CpuProfileNode } from './format.ts'

/**
 * The profile as a `.cpuprofile`: an object for `JSON.stringify` that DevTools, speedscope and
 * `importCpuProfile` read. Lines count from 0 as V8's do, times are microseconds, and `profile.run` is under the key `geordi`.
 * Nodes get their index plus 1 as their id.
 */
export function exportCpuProfile (profile: Profile): CpuProfile {
  const scripts = new Map<string, string>([['', '0']])
  const callFrames = profile.frames.map(frame => ({
    functionName: frame.name,
    scriptId: scriptId(scripts, frame),
    url: frame.url,
    lineNumber: frame.line - 1,
    columnNumber: frame.column - 1
  }))
  const nodes: CpuProfileNode[] = Array.from(profile.tree.frame, (frame, index) => ({
    id: index + 1,
    callFrame: callFrames[frame] as CpuProfileNode['callFrame'],
    hitCount: 0,
    children: []
  }))
  profile.tree.parent.forEach((parent, index) => nodes[parent]?.children.push(index + 1))
  let endTime = profile.startTime
  profile.samples.node.forEach((index, at) => {
    (nodes[index] as CpuProfileNode).hitCount++
    endTime += profile.samples.duration[at] as number
  })
  return {
    nodes,
    startTime: profile.startTime,
    endTime,
    samples: Array.from(profile.samples.node, index => index + 1),
    timeDeltas: Array.from(profile.samples.duration),
    geordi: { version: 1, run: profile.run }
  }
}

/** V8's ids of scripts aren't in the model; DevTools needs some to tell scripts apart. */
function scriptId (scripts: Map<string, string>, frame: Frame): string {
  let id = scripts.get(frame.url)
  if (id === undefined) scripts.set(frame.url, id = String(scripts.size))
  return id
}
