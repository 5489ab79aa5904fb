import type { Frame, Run } from './model.ts'
import { scriptPath } from './script-path.ts'

/**
 * Whose code a frame is.
 * - `app`: the application's own, also what it evaluates from strings, and its monorepo's other packages.
 * - `dependency`: a package's, or a script outside the application's folder.
 * - `node`: Node's own JavaScript.
 * - `native`: compiled: V8's builtins, bindings, regular expressions, WebAssembly.
 * - `gc`, `idle`, `program`, `root`: V8's own markers. `program` is the time V8 spent outside of any function.
 */
export type FrameKind = 'app' | 'dependency' | 'node' | 'native' | 'gc' | 'idle' | 'program' | 'root'

const MARKERS: ReadonlyMap<string, FrameKind> = new Map([
  ['(root)', 'root'],
  ['(program)', 'program'],
  ['(idle)', 'idle'],
  ['(garbage collector)', 'gc']
])

/**
 * Whose code a frame is, by its original place where that is known. With `run.process.root`, only scripts below that folder
 * or `run.process.workspace` are `app`; without it, all that are neither a package's nor Node's.
 */
export function classify (frame: Frame, run?: Run): FrameKind {
  if (frame.url === '') return MARKERS.get(frame.name) ?? 'native'
  if (frame.source?.package !== undefined) return 'dependency'
  const script = scriptPath(frame.source?.original?.url ?? frame.url, run?.process)
  switch (script.scheme) {
    case 'node': return 'node'
    case 'wasm': return 'native'
    case 'other': return script.package === undefined ? 'app' : 'dependency'
    case 'file': return script.package === undefined && script.inside ? 'app' : 'dependency'
  }
}

/** {@link classify} for the many frames of one run, whose scripts are few: each is looked at once. */
export function classifier (run?: Run): (frame: Frame) => FrameKind {
  const known = new Map<string, FrameKind>()
  return frame => {
    // V8's markers and native functions have no script; a bundle's functions may be the application's and its packages'.
    if (frame.url === '' || frame.source !== undefined) return classify(frame, run)
    let kind = known.get(frame.url)
    if (kind === undefined) known.set(frame.url, kind = classify(frame, run))
    return kind
  }
}
