import { syncBuiltinESMExports } from 'node:module'
import { patchHttp } from '../builtins/http.ts'
import { WaitsError } from '../errors.ts'
import { patchLibraries, patchModules } from '../libraries/load.ts'
import { activeRecorder, setActiveRecorder } from '../recorder.ts'
import { patchBlocking } from './blocking.ts'
import { LiveRecorder, type LiveWait, type Owners, type UnassignedWait } from './live-recorder.ts'
import { patchLiveTimers } from './timers.ts'

export type { BlockingCall, BlockingListener, DescriptorCall, LiveWait, Owners, UnassignedWait } from './live-recorder.ts'
export { stackHere } from './sites.ts'

/** What requests of this process wait for. */
export interface LiveWaits {
  /** What an owner waits for now, the oldest first, and the last ones that ended, the latest last. */
  of (owner: object): { readonly pending: LiveWait[], readonly finished: LiveWait[] }
  /** What is pending and began since then (`performance.now()`), the oldest first, of nobody knows whom: there was no room in the budget to look. */
  unassignedSince (time: number): UnassignedWait[]
  /** To be called some times a second, with `performance.now()`, as long as there is an owner: what is told of waits that are nobody's begins to count at such a look. */
  look (now: number): void
  /** To be called when an owner is done. */
  forget (owner: object): void
  /** In whose name a callback runs here, of those that drivers and timers call; frames tell of all else. */
  readonly current: object | undefined
  stop (): void
}

let patched = false

/**
 * Notes what is pending, for a process that serves requests: SQL (`pg`, `mysql2`), caches (`ioredis`, `redis`), HTTP clients, locks and pools, timers.
 * A wait belongs to the owner whose frame is in the stack that starts it, across `await` as far as V8 tells: 10 to 30 µs a stack, some
 * tenths of a microsecond an operation without, nothing for anything else. No promise is followed, no async hook is used.
 *
 * @param budget The share of the time that stacks may take, 0 (never) to 1 (always).
 * @throws WaitsError `GEORDI_WAITS_STATE` while another recording runs.
 */
export function liveWaits (owners: Owners, budget: number): LiveWaits {
  if (activeRecorder() !== undefined) throw new WaitsError('GEORDI_WAITS_STATE', 'A recording of waits runs already; stop it first.')
  const recorder = new LiveRecorder(owners, budget)
  patchProcess()
  setActiveRecorder(recorder)
  return {
    of: owner => recorder.waitsOf(owner),
    unassignedSince: time => recorder.unassignedSince(time),
    look: now => recorder.look(now),
    forget: owner => recorder.forget(owner),
    get current () { return recorder.currentOwner },
    stop () {
      if (activeRecorder() === recorder) setActiveRecorder(undefined)
    }
  }
}

/** The patches stay, and pass everything through where nothing is recorded. */
function patchProcess (): void {
  if (patched) return
  patched = true
  patchLiveTimers()
  patchHttp()
  patchBlocking()
  patchLibraries()
  patchModules(process.argv[1])
  syncBuiltinESMExports()
}
