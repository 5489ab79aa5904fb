import inspector from 'node:inspector'
import type { LimitedBox } from '../box.ts'

/** How often to wait, a millisecond each time, for a thread whose time has come and that the processor is free for. */
const PATIENCE = 50

const cell = new Int32Array(new SharedArrayBuffer(4))

let session: inspector.Session | undefined

/**
 * Waits to be terminated by the box around, whose deadline has passed. It doesn't come back from that.
 *
 * Its termination may have been lost: two boxes whose time was up while one native call ran cause one termination, and
 * the inner box ends it. Then it is asked for again. That is safe because the outer `vm` call knows that its time is
 * up: it takes any termination for its own. While this thread sleeps, the one that watches for it gets to run.
 *
 * @returns what to throw in the one case that is left: V8 takes only one such request until the event loop is reached
 */
export function awaitTermination (around: LimitedBox): unknown {
  for (let i = 0; i < PATIENCE; i++) Atomics.wait(cell, 0, 0, 1)
  if (session === undefined) {
    session = new inspector.Session()
    session.connect()
  }
  const request = { refused: false }
  session.post('Runtime.terminateExecution', error => { request.refused = error !== null })
  while (!request.refused) Atomics.wait(cell, 0, 0, 1)
  return around.reason
}
