import type { Frame, FrameKind } from '@geordi/profile'
import { add, largest } from '../sums.ts'
import { placeOfFrame, type Place } from '../waits/places.ts'
import type { Look } from '../waits/look.ts'

/** Time that was spent in some functions and in all that they called, waits not counted. */
export interface Below {
  readonly time: number
  /** The application's functions that called them, or those that stand for it, the costliest first, or where there are none the packages'; an index into `Profile.frames`. */
  readonly callers: ReadonlyArray<readonly [frame: number, time: number]>
  /** The outermost of the functions themselves. */
  readonly entries: ReadonlyArray<readonly [frame: number, time: number]>
}

/**
 * Adds up the CPU time below frames of a kind, each stretch once.
 *
 * @param isOne Whether a frame is one of them.
 * @param isOut Below these nothing counts.
 * @param isForApp Whether what a frame calls is done for the application without a function of its on the stack: it is a caller as those are.
 */
export function below ({ profile, kinds, self }: Look, isOne: (frame: Frame) => boolean, isOut: (frame: Frame) => boolean = () => false, isForApp: (frame: Frame) => boolean = () => false): Below {
  const { frames, tree } = profile
  const isCaller = frames.map((frame, at) => kinds[at] === 'app' || isForApp(frame))
  const wanted = frames.map(isOne)
  const unwanted = frames.map(isOut)
  const count = tree.frame.length
  /** For each node the outermost of the wanted ones at or above it, -1 for none, -2 below what is out. */
  const entry = new Int32Array(count)
  const caller = new Int32Array(count)
  const callers = new Map<number, number>()
  /** Whoever it was that called them. */
  const others = new Map<number, number>()
  const otherCaller = new Int32Array(count).fill(-1)
  const entries = new Map<number, number>()
  let time = 0
  for (let node = 0; node < count; node++) {
    const frame = tree.frame[node] as number
    const parent = tree.parent[node] as number
    const above = parent < 0 ? -1 : entry[parent] as number
    entry[node] = above !== -1 ? above : unwanted[frame] === true ? -2 : wanted[frame] === true ? frame : -1
    const inherited = parent < 0 ? -1 : caller[parent] as number
    caller[node] = entry[node] === -1 && isCaller[frame] === true ? frame : inherited
    otherCaller[node] = entry[node] === -1 && kinds[frame] === 'dependency' ? frame : parent < 0 ? -1 : otherCaller[parent] as number
    const own = self[node] as number
    if (own === 0 || (entry[node] as number) < 0 || kinds[frame] === 'idle') continue
    time += own
    add(entries, entry[node] as number, own)
    if ((caller[node] as number) >= 0) add(callers, caller[node] as number, own)
    if ((otherCaller[node] as number) >= 0) add(others, otherCaller[node] as number, own)
  }
  return { time, callers: largest(callers.size > 0 ? callers : others), entries: largest(entries) }
}

/** So much of the time must be below a function for it to be named. */
const MOST = 0.6

/** The innermost of the application's own functions below which most of some times is. @param own For each node of the call tree. */
export function innermostOwn (look: Look, own: Float64Array): number | undefined {
  const found = innermost(look, sumUp(look, own), 'app')
  return found === undefined ? undefined : look.profile.tree.frame[found]
}

/**
 * Where most of some times is, in one place: an own function if there is one, else a package's; or else the own function that has the most of them.
 * @param own For each node of the call tree.
 */
export function busiestFunction (look: Look, own: Float64Array): { frame: number, share: number } | undefined {
  const { profile: { tree }, kinds } = look
  const totals = sumUp(look, own)
  let most: number | undefined
  totals.forEach((time, node) => { if (time > 0 && kinds[tree.frame[node] as number] === 'app' && !(time <= (totals[most ?? -1] ?? 0))) most = node })
  const found = innermost(look, totals, 'app') ?? innermost(look, totals, 'dependency') ?? most
  return found === undefined ? undefined : { frame: tree.frame[found] as number, share: (totals[found] as number) / (totals[0] as number) }
}

/** For each node its time with that of all below it. */
function sumUp ({ profile: { tree } }: Look, own: Float64Array): Float64Array {
  const totals = Float64Array.from(own)
  // Children come after their parents.
  for (let node = totals.length - 1; node > 0; node--) {
    const parent = tree.parent[node] as number
    totals[parent] = (totals[parent] as number) + (totals[node] as number)
  }
  return totals
}

function innermost ({ profile: { tree }, kinds }: Look, totals: Float64Array, kind: FrameKind): number | undefined {
  let found: number | undefined
  totals.forEach((time, node) => { if (time > 0 && time >= MOST * (totals[0] as number) && kinds[tree.frame[node] as number] === kind) found = node })
  return found
}

/** The place of the costliest function, if there is any. */
export function placesOf ({ profile }: Look, times: Below['callers']): Place[] {
  return times.slice(0, 1).map(([frame]) => placeOfFrame(profile, frame))
}

/** The time in which a processor worked for the run. */
export function cpuTime ({ profile: { frames, tree }, kinds, self }: Look): number {
  return self.reduce((sum, time, node) => {
    const frame = tree.frame[node] as number
    return kinds[frame] === 'idle' || isRecorder(frames[frame] as Frame) ? sum : sum + time
  }, 0)
}

/** The recorder's own time; it is no part of the run's. */
export function isRecorder ({ name, url }: Frame): boolean {
  return url === '' && name === '(recording)'
}

export function isLoader ({ url }: Frame): boolean {
  return url.startsWith('node:internal/modules/') || url.startsWith('node:internal/deps/cjs-module-lexer/')
}
