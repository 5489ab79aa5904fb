import { Session } from 'node:inspector'
import { setTimeout as delay } from 'node:timers/promises'
import type { KeepAnswer } from './messages.ts'

/** What the main thread answers when it is interrupted. */
export interface Interrupted {
  /** Whether there is a recording, and it is written; `later` where the recorder itself was interrupted. */
  readonly kept: boolean | 'later'
  /** Milliseconds that it took. */
  readonly took: number
}

/** The main thread's function that does it, as a global; it gives {@link Interrupted} as JSON. */
export const KEEP = 'geordi.keep'
/** Milliseconds from the recording's beginning to its first part, how each pause grows, and the longest. */
const FIRST = 250
const GROWTH = 2
const LONGEST = 10_000
/** A pause is at least so many times what the last part took: at most 2 % of the time go into this. */
const SHARE = 50
/** How often the recorder may be found at work, and the milliseconds in between. */
const ATTEMPTS = 50
const RETRY = 2

let last: Promise<unknown> = Promise.resolve()

/**
 * For a thread beside the main one: has what was recorded written now, whatever the main thread does. V8 looks for interrupts in
 * loops, in regular expressions, in `Atomics.wait`; in `JSON.parse`, a blocking read and other native calls it doesn't, and this
 * waits for their end. One at a time.
 */
export async function keep (): Promise<KeepAnswer & { readonly took: number }> {
  const turn = last.then(keepNow)
  last = turn.catch(() => {})
  return turn
}

async function keepNow (): Promise<KeepAnswer & { readonly took: number }> {
  try {
    for (let attempt = 1; ; attempt++) {
      const { kept, took } = await interrupt()
      if (kept !== 'later') return { kept, took }
      if (attempt === ATTEMPTS) return { kept: false, took, message: 'the recorder was at work each time' }
      await delay(RETRY)
    }
  } catch (error) {
    return { kept: false, took: 0, message: (error as Error).message }
  }
}

/** A session of its own each time: one that is open makes the process wait at its exit, and say so. */
async function interrupt (): Promise<Interrupted> {
  const session = new Session()
  session.connectToMainThread()
  try {
    return await new Promise((resolve, reject) => {
      session.post('Runtime.evaluate', { expression: `globalThis[Symbol.for('${KEEP}')]()`, returnByValue: true }, (error, { result, exceptionDetails } = {} as never) => {
        if (error !== null) reject(error)
        else if (exceptionDetails !== undefined) reject(new Error(exceptionDetails.exception?.description ?? exceptionDetails.text))
        else resolve(JSON.parse(result.value as string) as Interrupted)
      })
    })
  } finally {
    session.disconnect()
  }
}

/** Keeps what is recorded now and then, until there is nothing recorded any more: so much less is lost when the process is killed. */
export async function keepRegularly (): Promise<void> {
  for (let pause = FIRST; ; pause = Math.min(pause * GROWTH, LONGEST)) {
    await delay(pause)
    const { kept, took, message } = await keep()
    if (!kept && message === undefined) return
    pause = Math.max(pause, took * SHARE)
  }
}
