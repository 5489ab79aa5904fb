import { liveWaits, type LiveWaits } from '@geordi/waits/live'
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

const users = new Set<Requests>()
let waits: LiveWaits | undefined

/** The waits of this process, noted as long as somebody uses them: Node's modules are patched once, whatever the number of apps. */
export function useWaits (requests: Requests): { readonly waits: LiveWaits, readonly release: () => void } {
  users.add(requests)
  waits ??= liveWaits({
    prefix: FRAME_PREFIX,
    of: requestOfFrame,
    blocking: (owner, { statement = '', target = '' }, sites) => noteCall(owner as OpenRequest | undefined, statement, target, sites)
  })
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
function noteCall (owner: OpenRequest | undefined, name: string, target: string, sites: () => string[]): () => void {
  const told = owner === undefined ? [...users].filter(({ count }) => count > 0) : [owner.table]
  if (told.length === 0) return () => {}
  const note: Note = { name, target, since: performance.now(), ...owner === undefined ? {} : { place: owner.place }, stack: sites() }
  for (const requests of told) {
    if (owner !== undefined) requests.makeKnown(owner)
    writeJson(requests.shared.note, note, (long: Note) => ({ ...long, target: '', stack: long.stack.slice(0, 20) }))
    Atomics.store(requests.shared.header, HEADER.note, 1)
  }
  return () => { for (const { shared } of told) Atomics.store(shared.header, HEADER.note, 0) }
}
