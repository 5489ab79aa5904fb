import { AsyncLocalStorage } from 'node:async_hooks'
import type { LimitedBox } from './box.ts'

/** The innermost box of each async context. It may be over, while what it began goes on. */
export const boxes = new AsyncLocalStorage<LimitedBox | undefined>()

/**
 * Has the first use of the storage behind it, which turns on hooks of Node before version 24: interrupted in the middle
 * of that, no `AsyncLocalStorage` of the process would keep its store any more.
 */
export function enableContext (): void {
  // A store that is there already would change nothing.
  boxes.run({} as LimitedBox, () => {})
}

/** The innermost box that still has a say: one that ended well has none, one whose time was up keeps what it began from going on. */
export function currentBox (): LimitedBox | undefined {
  let box = boxes.getStore()
  while (box?.state === 'ended') box = box.parent
  return box
}

/**
 * When the code that asks will be interrupted, on the scale of `performance.now()`; `Infinity` outside of any box.
 * It is in the past for work that was given up.
 */
export function currentDeadline (): number {
  return currentBox()?.limiter.deadline ?? Infinity
}

/** The signal of the box that the code that asks runs in, for libraries; `undefined` outside of any box. */
export function deadlineSignal (): AbortSignal | undefined {
  return currentBox()?.signal
}

/**
 * Calls a function outside of any box: for what is begun in one and outlives it, such as a pool of connections.
 * What stays in the context of a box whose time was up can't open another box there.
 */
export function detached<T> (fn: () => T): T {
  return boxes.run(undefined, fn)
}
