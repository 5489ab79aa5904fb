import { frameLocation, type Frame } from '@geordi/profile'
import { formatTime } from '../numbers.ts'
import { add, largest } from '../sums.ts'
import type { Look } from '../waits/look.ts'
import type { Tally } from '../waits/tallies.ts'
import { below, isLoader, placesOf } from './cpu.ts'
import type { Finding } from './finding.ts'
import { MODULE_LOADING } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Modules that are read, compiled and run for the first time while a request waits. */
export function findModuleLoading (look: Look): Finding[] {
  const { time: busy, callers } = below(look, isLoader)
  const read = readBy(look, callers[0]?.[0])
  const time = busy + (read?.wall ?? 0)
  if (!isWorthTelling(look, busy, MODULE_LOADING)) return []
  const what = read === undefined ? heaviest(look) : nameOf(look, { name: '', url: `file://${read.target}`, line: 0, column: 0 })
  const places = placesOf(look, callers)
  const because = places[0] === undefined ? '' : `, because of ${places[0].label}`
  return [{
    cause: 'module-loading',
    title: `${what === '' ? 'Modules are' : `The module ${what} is`} loaded within the request: ${formatTime(time)}`,
    subject: what,
    evidence: [`${formatTime(time)} to find, read, compile and run it${because}; the next request of the same process does without`],
    numbers: { total: time },
    places,
    time,
    share: time / look.wall,
    advice: 'Import it at the top of a module that is loaded when the app starts, or do without it.'
  }]
}

/** The module's file that the loader of ES modules read, in the name of who imports it. */
function readBy ({ profile, recorded }: Look, caller: number | undefined): Tally | undefined {
  return recorded?.tallies.find(({ kind, statement, target, sync, site }) => kind === 'file' && !sync && statement === 'readFile' &&
    /\.(?:[cm]?js|json|node|wasm)$/.test(target) && profile.waits?.sites[site]?.frame === caller)
}

/**
 * The package, or else the file, that took the most time below the loader, with all that it loads itself: of a package that many small ones belong to,
 * whoever asked for it knows no other name.
 */
function heaviest (look: Look): string {
  const { profile: { frames, tree }, kinds, self } = look
  const loading = new Uint8Array(tree.frame.length)
  /** For each node the frame that stands for what is loaded there: the outermost of a package's, or else of the application's. -1 for none. */
  const loaded = new Int32Array(tree.frame.length).fill(-1)
  const times = new Map<string, number>()
  tree.frame.forEach((frame, node) => {
    const parent = tree.parent[node] as number
    loading[node] = (parent >= 0 && loading[parent] === 1) || isLoader(frames[frame] as Frame) ? 1 : 0
    if (loading[node] === 0) return
    const outer = parent >= 0 ? loaded[parent] as number : -1
    const isFirst = outer < 0 ? kinds[frame] === 'app' || kinds[frame] === 'dependency' : kinds[outer] === 'app' && kinds[frame] === 'dependency'
    const module = loaded[node] = isFirst ? frame : outer
    if (module >= 0 && (self[node] as number) > 0) add(times, nameOf(look, frames[module] as Frame), self[node] as number)
  })
  return largest(times)[0]?.[0] ?? ''
}

function nameOf ({ profile: { run } }: Look, frame: Frame): string {
  const { packageName, text } = frameLocation(frame, run)
  return packageName ?? text.replace(/:\d+$/, '')
}
