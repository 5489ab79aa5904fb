import { syncBuiltinESMExports } from 'node:module'
import { patchHttp } from '../builtins/http.ts'
import { WaitsError } from '../errors.ts'
import { patchLibraries, patchModules } from '../libraries/load.ts'
import { activeRecorder, setActiveRecorder } from '../recorder.ts'
import { patchBlocking } from './blocking.ts'
import { LiveRecorder, type LiveWait, type Owners } from './live-recorder.ts'
import { patchLiveTimers } from './timers.ts'

export type { BlockingCall, LiveWait, Owners } from './live-recorder.ts'
export { stackHere } from './sites.ts'

/** What requests of this process wait for. */
export interface LiveWaits {
  /** What an owner waits for now, the oldest first, and the last ones that ended, the latest last. */
  of (owner: object): { readonly pending: LiveWait[], readonly finished: LiveWait[] }
  /** To be called when an owner is done. */
  forget (owner: object): void
  /** In whose name a callback runs here, of those that drivers and timers call; frames tell of all else. */
  readonly current: object | undefined
  stop (): void
}

let patched = false

/**
 * Notes what is pending, for a process that serves requests: SQL (`pg`, `mysql2`), caches (`ioredis`, `redis`), HTTP clients, locks and pools, timers.
 * A wait belongs to the owner whose frame is in the stack that starts it, across `await` as far as V8 tells: 5 to 15 µs an operation,
 * nothing for anything else. No promise is followed, no async hook is used.
 *
 * @throws WaitsError `GEORDI_WAITS_STATE` while another recording runs.
 */
export function liveWaits (owners: Owners): LiveWaits {
  if (activeRecorder() !== undefined) throw new WaitsError('GEORDI_WAITS_STATE', 'A recording of waits runs already; stop it first.')
  const recorder = new LiveRecorder(owners)
  patchProcess()
  setActiveRecorder(recorder)
  return {
    of: owner => recorder.waitsOf(owner),
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
