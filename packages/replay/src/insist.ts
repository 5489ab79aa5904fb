import { setTimeout as delay } from 'node:timers/promises'
import { isFull } from './backend.ts'
import type { ResultStore } from './store.ts'

/** Milliseconds between two attempts. */
const PAUSE = 1000

/** Who is told that a server takes no writes, and that it does again. */
export interface InsistenceListener {
  readonly onError: (error: Error) => void
  readonly onBack?: (() => void) | undefined
}

/**
 * A worker's store: what it has to write of a replay waits for a queue server that is full as for one that is away, because
 * an outcome must not get lost. Artefacts don't: they are what fills a server, and that there is no room for one can be told.
 */
export function insisting (store: ResultStore, { onError, onBack }: InsistenceListener): ResultStore {
  const insist = async <Result>(write: () => Promise<Result>): Promise<Result> => {
    for (let told = false; ; told = true) {
      try {
        const result = await write()
        if (told) onBack?.()
        return result
      } catch (error) {
        if (!isFull(error)) throw error
        if (!told) onError(error as Error)
        await delay(PAUSE)
      }
    }
  }
  return {
    create: (...args) => store.create(...args),
    read: id => store.read(id),
    write: (...args) => insist(() => store.write(...args)),
    claim: id => insist(() => store.claim(id)),
    lease: (...args) => insist(() => store.lease(...args)),
    put: (...args) => store.put(...args),
    get: (...args) => store.get(...args),
    remove: id => store.remove(id),
    forget: retention => store.forget(retention)
  }
}
