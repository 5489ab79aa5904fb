import { liveWaits, type BlockingListener, type LiveWaits } from '@geordi/waits/live'
import { FRAME_PREFIX } from './frames.ts'
import type { OpenRequest } from './open-request.ts'
import { nameRequests, requestOfFrame, type Requests } from './requests.ts'
import { DESCRIPTOR_CALLS, HEADER, NOTED, TIMES, writeJson } from './shared.ts'

/** What the watcher is told of a call that may block for long: it can't be interrupted. */
export interface Note {
  readonly name: string
  readonly target: string
  /** The main thread's `performance.now()`. */
  readonly since: number
  readonly place?: number
  readonly stack: string[]
}

const users = new Set<Requests>()
let waits: LiveWaits | undefined

/**
 * The waits of this process, noted as long as somebody uses them: Node's modules are patched once, whatever the number of apps. The budget of the first
 * holds.
 */
export function useWaits (requests: Requests, budget: number): { readonly waits: LiveWaits, readonly release: () => void } {
  users.add(requests)
  waits ??= liveWaits({
    prefix: FRAME_PREFIX,
    of: ownerOfFrame,
    prepare: nameRequests,
    any: isAnyOpen,
    blocking
  }, budget)
  return {
    waits,
    release () {
      users.delete(requests)
      if (users.size > 0) return
      waits?.stop()
      waits = undefined
    }
  }
}

/** What a request has waited for is forgotten when it is over: so it must be told, however soon that is. */
function ownerOfFrame (functionName: string): OpenRequest | undefined {
  const open = requestOfFrame(functionName)
  open?.table.know(open)
  return open
}

/** With nobody waiting, a start that reads a thousand files pays nothing. */
function isAnyOpen (): boolean {
  for (const { isBusy } of users) if (isBusy) return true
  return false
}

const blocking: BlockingListener = {
  begins ({ name, target, whose }) {
    const { owner, stack } = whose() as { owner: OpenRequest | undefined, stack: string[] }
    owner?.table.list(owner)
    const note: Note = { name, target: target(), since: performance.now(), ...owner?.place === undefined ? {} : { place: owner.place }, stack }
    for (const user of users) {
      if (owner === undefined ? !user.isBusy : owner.table !== user) continue
      writeJson(user.shared.note, note, (long: Note) => ({ ...long, target: '', stack: long.stack.slice(0, 20) }))
      Atomics.store(user.shared.header, HEADER.note, NOTED.call)
    }
  },
  beginsOn (name, descriptor) {
    const since = performance.now()
    for (const { shared: { header, times }, isBusy } of users) {
      if (!isBusy) continue
      header[HEADER.call] = DESCRIPTOR_CALLS.indexOf(name)
      header[HEADER.descriptor] = descriptor
      times[TIMES.call] = since
      Atomics.store(header, HEADER.note, NOTED.descriptorCall)
    }
  },
  ends () {
    for (const { shared } of users) Atomics.store(shared.header, HEADER.note, NOTED.nothing)
  }
}
