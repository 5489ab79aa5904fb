import { Session } from 'node:inspector'
import { questionScript, type SnapshotAnswer, type SnapshotQuestion } from '../interrupt.ts'

/** How a question to the main thread went. */
export type Asked = SnapshotAnswer | { readonly type: 'silent' } | { readonly type: 'failed', readonly message: string }

/**
 * Interrupts the main thread, whatever JavaScript it runs, and has it answer a question. No domain of the inspector is enabled, so that nothing is
 * slower than before, and there is a session only meanwhile: a process that ends with one open says that it waits for a debugger.
 *
 * @param patience Milliseconds. In a native call (`JSON.parse`, `execSync`) the thread answers when that returns.
 * @param late Given the answer that comes after that.
 */
export async function askMainThread (instance: string, question: SnapshotQuestion, patience: number, late: (answer: SnapshotAnswer) => void): Promise<Asked> {
  return await new Promise(resolve => {
    let waiting = true
    const session = new Session()
    const timer = setTimeout(() => {
      waiting = false
      resolve({ type: 'silent' })
    }, patience)
    const done = (asked: Asked) => {
      clearTimeout(timer)
      try {
        session.disconnect()
      } catch {
        // It was never connected.
      }
      if (waiting) resolve(asked)
      else if (asked.type !== 'failed' && asked.type !== 'silent') late(asked)
    }
    try {
      session.connectToMainThread()
      session.post('Runtime.evaluate', { expression: questionScript(instance, question), returnByValue: true }, (error, answer) => {
        const text: unknown = answer?.result.value
        if (error !== null || typeof text !== 'string') done({ type: 'failed', message: error?.message ?? answer?.exceptionDetails?.exception?.description ?? 'no answer' })
        else done(JSON.parse(text) as SnapshotAnswer)
      })
    } catch (error) {
      done({ type: 'failed', message: (error as Error).message })
    }
  })
}
