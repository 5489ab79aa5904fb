import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { detached } from '../context.ts'
import { BoxError } from '../errors.ts'
import { checkLimit, type Limit } from '../limit.ts'
import { type AsyncBoxOptions, checkOptions } from '../options.ts'
import { runAsync } from '../timeout-async.ts'
import { IsolatedPool, type Runtime } from './pool.ts'
import type { IsolatedTask } from './runner.ts'

/** How an isolated call behaves, apart from its limit. */
export interface IsolatedOptions extends Omit<AsyncBoxOptions, 'onLate'> {
  /**
   * Name of the function that the module exports.
   * @defaultValue 'default'
   */
  readonly export?: string
  /**
   * What it runs in. A process can be killed whatever it does; a thread not while it is in one long native call, such as
   * `JSON.parse` or `pbkdf2Sync`, and then it keeps the process from exiting until that returns.
   * @defaultValue 'process'
   */
  readonly runtime?: Runtime
}

/** Made when they are first needed. */
const pools = new Map<Runtime, Promise<IsolatedPool>>()

/**
 * Calls a function of a module in another process, which is killed when the time is up: for what can't be interrupted
 * from inside, such as one long `JSON.parse`, `pbkdf2Sync` or a blocking read. Needs the package `tinypool`.
 * The time to start a process, where none is waiting, counts.
 *
 * @param limit milliseconds, more than 0 (`Infinity` for none), or a `Quota`
 * @param module URL or absolute path of the module
 * @param args what the function is called with; they are copied (structured clone)
 * @returns what the function returns, copied; rejects with what it threw, or, when the time is up, with the error of the `error` option
 * @throws RangeError for a limit that is none, and BoxError `GEORDI_BOX_BAD_OPTION`; rejects with `GEORDI_BOX_DIED` where
 *   the process ends in the middle of it, and `GEORDI_BOX_NO_POOL`
 */
export function timeoutIsolated<T = unknown> (
  limit: Limit, module: string | URL, args: readonly unknown[] = [], options: IsolatedOptions = {}
): Promise<T> {
  checkLimit(limit)
  if (!Array.isArray(args)) throw new BoxError('GEORDI_BOX_BAD_OPTION', `The arguments are given as an array, not ${String(args)}.`)
  checkOptions(options === null || typeof options !== 'object' ? options : undefined)
  const { export: name = 'default', runtime = 'process', ...boxOptions } = options
  if (typeof name !== 'string') throw new BoxError('GEORDI_BOX_BAD_OPTION', `The option "export" takes the name of a function, not ${String(name)}.`)
  if (runtime !== 'process' && runtime !== 'thread') throw new BoxError('GEORDI_BOX_BAD_OPTION', `The option "runtime" takes 'process' or 'thread', not ${String(runtime)}.`)
  const task: IsolatedTask = { module: moduleUrl(module), name, args }
  const label = `${name} of ${task.module}`
  return runAsync(limit, async box => {
    const pool = await poolOf(runtime)
    const outcome = await pool.run(task, box.signal)
    if ('value' in outcome) return outcome.value as T
    throw outcome.error instanceof Error ? Object.assign(outcome.error, outcome.properties) : outcome.error
  }, checkOptions(boxOptions), label)
}

function moduleUrl (module: string | URL): string {
  if (module instanceof URL) return module.href
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href
  if (typeof module === 'string' && URL.canParse(module)) return module
  throw new BoxError('GEORDI_BOX_BAD_OPTION',
    `A module is given as a URL or an absolute path, not ${String(module)}: new URL('./module.js', import.meta.url).`)
}

function poolOf (runtime: Runtime): Promise<IsolatedPool> {
  let pool = pools.get(runtime)
  if (pool === undefined) {
    // It outlives the box that it is first needed in.
    pool = detached(() => IsolatedPool.make(runtime))
    pools.set(runtime, pool)
    pool.catch(() => { pools.delete(runtime) })
  }
  return pool
}
