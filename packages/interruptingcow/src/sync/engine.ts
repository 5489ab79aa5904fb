import { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import vm from 'node:vm'
import { LONGEST_TIMER } from '../milliseconds.ts'
import { findInternals, type Internals } from './internals.ts'
import { entryState, repair } from './repair.ts'

interface Engine {
  readonly internals: Internals
  readonly script: vm.Script
}

let engine: Engine | undefined

/** What the script is to call; it takes it at once. */
let pending: (() => void) | undefined

/**
 * Gets ready to interrupt: once a thread, some tens of milliseconds. It may be called early.
 * @throws BoxError `GEORDI_BOX_UNSUPPORTED` where this process can't be put right after an interruption
 */
export function prepareEngine (): Engine {
  if (engine !== undefined) return engine
  const internals = findInternals()
  const name = `interruptingcow:${randomUUID()}`
  Object.defineProperty(globalThis, name, { value: callPending })
  // The first `fetch` loads much of Node; interrupted in the middle of that, it never works again.
  Reflect.get(globalThis, 'Response')
  engine = { internals, script: new vm.Script(`globalThis[${JSON.stringify(name)}]()`, { filename: 'interruptingcow' }) }
  return engine
}

function callPending (): void {
  const body = pending!
  pending = undefined
  body()
}

/**
 * Calls a body and has V8 terminate it when the time is up. No `catch` and no `finally` of it runs then.
 *
 * @param milliseconds rounded up
 * @param body throws nothing
 * @returns whether it came to its end
 * @throws what is thrown before the body is entered: the stack is full
 */
export function runInterruptibly (milliseconds: number, body: () => void): boolean {
  if (milliseconds > LONGEST_TIMER) {
    body()
    return true
  }
  const { internals, script } = prepareEngine()
  // A scope of its own holds what the body leaves behind in the async context: stores of AsyncLocalStorage above all.
  const scope = new AsyncResource('InterruptibleBox', { requireManualDestroy: true })
  try {
    return scope.runInAsyncScope(() => {
      const entry = entryState(internals)
      let completed = false
      pending = () => {
        body()
        completed = true
      }
      try {
        script.runInThisContext({ timeout: Math.ceil(milliseconds), displayErrors: false })
      } catch (error) {
        if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
        // Also where the body had just ended: the interruption may have come in the code right behind it.
        repair(internals, entry)
      }
      return completed
    })
  } finally {
    scope.emitDestroy()
  }
}
