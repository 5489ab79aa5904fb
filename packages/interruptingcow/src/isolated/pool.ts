import { availableParallelism } from 'node:os'
import type { Tinypool } from 'tinypool'
import { BoxError } from '../errors.ts'
import type { IsolatedOutcome, IsolatedTask } from './runner.ts'

/** What an isolated call runs in. */
export type Runtime = 'process' | 'thread'

const TINYPOOL_RUNTIME = { process: 'child_process', thread: 'worker_threads' } as const

/** How long a process or thread is kept for the next call, in milliseconds. */
const IDLE = 10_000

/**
 * As many calls at a time as there are cores; the others wait here, and not in Tinypool's queue: that one is left
 * without a worker when one is killed and `minThreads` is 0.
 */
export class IsolatedPool {
  readonly #tinypool: Tinypool
  readonly #waiting: Array<() => void> = []
  #free = availableParallelism()

  private constructor (tinypool: Tinypool) {
    this.#tinypool = tinypool
  }

  static async make (runtime: Runtime): Promise<IsolatedPool> {
    if (!/\/isolated\/pool\.js$/.test(String(import.meta.url))) {
      throw new BoxError('GEORDI_BOX_NO_POOL', '`timeout.isolated` starts a file of its package, which is not beside a bundle: ' +
        'keep @geordi/interruptingcow and tinypool out of the bundle, as external packages.')
    }
    const { Tinypool } = await import('tinypool').catch((cause: unknown) => {
      throw new BoxError('GEORDI_BOX_NO_POOL', '`timeout.isolated` needs the package tinypool: npm install tinypool', { cause })
    })
    const tinypool = new Tinypool({
      filename: new URL('./runner.js', import.meta.url).href,
      name: 'run',
      runtime: TINYPOOL_RUNTIME[runtime],
      minThreads: 0,
      maxThreads: availableParallelism(),
      idleTimeout: IDLE,
      serialization: 'advanced',
      // Without it a process has an empty environment.
      env: process.env as Record<string, string>,
      ...(runtime === 'process' ? { execArgv: inheritedArguments() } : {})
    })
    // One that can't start, or dies when it has nothing to do.
    tinypool.on('error', (error: unknown) => {
      process.emitWarning(`A ${runtime} of timeout.isolated has ended: ${String(error)}`, 'BoxPoolWarning')
    })
    if (runtime === 'process') process.once('exit', () => { killAll(tinypool) })
    return new IsolatedPool(tinypool)
  }

  /** Does a task; kills what does it when the signal is aborted. */
  async run (task: IsolatedTask, signal: AbortSignal): Promise<IsolatedOutcome> {
    if (this.#free === 0) await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    else this.#free--
    try {
      signal.throwIfAborted()
      return await this.#tinypool.run(task, { signal }) as IsolatedOutcome
    } catch (cause) {
      // Tinypool's words for it; it has no code for that.
      if ((cause as Error | undefined)?.message !== 'Worker exited unexpectedly') throw cause
      throw new BoxError('GEORDI_BOX_DIED', `What "${task.name}" of ${task.module} ran in has ended in the middle of it: ` +
        'it called `process.exit`, was killed, ran out of memory, or an error of it was not caught. Its standard error may tell.', { cause })
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/** Node's own arguments, for loaders and the like, without what is for this process alone: its debugger, and code given as text. */
function inheritedArguments (): string[] {
  return process.execArgv.filter((argument, i, all) =>
    !/^(?:--(?:inspect|input-type|eval|print)|-[ep]+$)/.test(argument) && !/^(?:--eval|--print|-[ep]+)$/.test(all[i - 1] ?? ''))
}

/** A process that is in an endless loop doesn't notice that its parent has gone. */
function killAll (tinypool: Tinypool): void {
  for (const { threadId } of tinypool.threads) {
    try {
      process.kill(threadId, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}
