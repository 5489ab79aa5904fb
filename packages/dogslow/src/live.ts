import { liveWaits, type BlockingCall, type LiveWaits } from '@geordi/waits/live'
import { FRAME_PREFIX } from './frames.ts'
import { OpenRequest, requestOfFrame, type Requests } from './requests.ts'
import { HEADER, writeJson } from './shared.ts'

/** What the watcher is told of a call that may block for long: it can't be interrupted. */
export interface Note {
  readonly name: string
  readonly target: string
  /** The main thread's `performance.now()`. */
  readonly since: number
  readonly place?: number
  readonly stack: string[]
}

const NOBODYS = { owner: undefined, stack: [] }

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
    of: requestOfFrame,
    any: isAnyOpen,
    blocking: noteCall
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

/** With nobody waiting, a start that reads a thousand files pays nothing. */
function isAnyOpen (): boolean {
  for (const { count } of users) if (count > 0) return true
  return false
}

function noteCall ({ name, target, whose }: BlockingCall): () => void {
  const { owner, stack } = whose?.() as { owner: OpenRequest | undefined, stack: string[] } | undefined ?? NOBODYS
  owner?.table.makeKnown(owner)
  const note: Note = { name, target: target(), since: performance.now(), ...owner === undefined ? {} : { place: owner.place }, stack }
  const told = owner === undefined ? [...users].filter(({ count }) => count > 0) : [owner.table]
  for (const { shared } of told) {
    writeJson(shared.note, note, (long: Note) => ({ ...long, target: '', stack: long.stack.slice(0, 20) }))
    Atomics.store(shared.header, HEADER.note, 1)
  }
  return () => { for (const { shared } of told) Atomics.store(shared.header, HEADER.note, 0) }
}
