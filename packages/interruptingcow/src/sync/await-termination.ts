import inspector from 'node:inspector'

/** How often to wait, a millisecond each time, for a thread whose time has come and that the processor is free for. */
const PATIENCE = 50

const cell = new Int32Array(new SharedArrayBuffer(4))

let session: inspector.Session | undefined

/**
 * Waits to be terminated by the box around, whose time has come. It doesn't come back from that.
 *
 * Its termination may have been lost: two boxes whose time was up while one native call ran cause one termination, and
 * the inner box ends it. Then it is asked for again. That is safe because the outer `vm` call knows that its time is
 * up: it takes any termination for its own. While this thread sleeps, the one that watches for it gets to run.
 */
export function awaitTermination (): never {
  for (;;) {
    for (let i = 0; i < PATIENCE; i++) Atomics.wait(cell, 0, 0, 1)
    requestTermination()
  }
}

function requestTermination (): void {
  if (session === undefined) {
    session = new inspector.Session()
    session.connect()
  }
  // V8 takes one request until the event loop is reached, or until an evaluation is terminated: this one is, at once.
  // Without that, a second box in one turn of the event loop would never be told (V8Debugger::reportTermination).
  session.post('Runtime.evaluate', { expression: 'for (;;);', timeout: 1 } as inspector.Runtime.EvaluateParameterType)
  session.post('Runtime.terminateExecution')
}
