import { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import vm from 'node:vm'
import { enableContext } from '../context.ts'
import { BoxError } from '../errors.ts'
import { LONGEST_TIMER } from '../milliseconds.ts'
import { hasDescriptors } from './descriptors.ts'
import { useGuards } from './guards.ts'
import { findInternals, type Internals, unsupported } from './internals.ts'
import { keepingOutput, writeKept } from './output.ts'
import { refusals } from './refusals.ts'
import { entryState, repair } from './repair.ts'

interface Engine {
  readonly internals: Internals
  readonly script: vm.Script
}

/** As it was before a guard could stand there: a box in a box is `vm`'s timeout in another one's. */
const { runInThisContext } = vm.Script.prototype

let engine: Engine | undefined

/** What the script is to call; it takes it at once. */
let pending: (() => void) | undefined

/**
 * Gets ready to interrupt: once a thread, some tens of milliseconds. It may be called early.
 * @throws BoxError `GEORDI_BOX_UNSUPPORTED` where this process can't be put right after an interruption
 */
export function prepareEngine (): Engine {
  if (engine !== undefined) return engine
  if (vm.runInThisContext('globalThis') !== globalThis) {
    throw unsupported('this package was loaded into a context of `node:vm` (as Jest does), while that state is outside of it')
  }
  const internals = findInternals()
  try {
    useGuards(refusals())
  } catch (error) {
    throw unsupported('some of what must be refused in the box is not where it can be', error)
  }
  enableContext()
  process.once('exit', writeKept)
  const name = `interruptingcow:${randomUUID()}`
  Object.defineProperty(globalThis, name, { value: callPending })
  // The first `fetch` loads much of Node; interrupted in the middle of that, it never works again.
  Reflect.get(globalThis, 'Response')
  Reflect.get(globalThis, 'crypto')
  // So does a domain, if that is interrupted in what loads this one (seen on Node 22 and 24).
  Reflect.get(process, 'report')
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
 * @throws what is thrown before the body is entered: BoxError `GEORDI_BOX_REFUSED` where file descriptors are short
 */
export function runInterruptibly (milliseconds: number, body: () => void): boolean {
  if (milliseconds > LONGEST_TIMER) {
    body()
    return true
  }
  if (!hasDescriptors(1)) {
    throw new BoxError('GEORDI_BOX_REFUSED', '`timeout.sync` needs six file descriptors while it runs, and this process has none left: ' +
      'Node would abort it. Raise its limit (`ulimit -n`), or look for what doesn\'t close its files.')
  }
  const { internals, script } = prepareEngine()
  // A scope of its own holds what the body leaves behind in the async context: stores of AsyncLocalStorage above all.
  const scope = new AsyncResource('InterruptibleBox', { requireManualDestroy: true })
  try {
    return keepingOutput(() => scope.runInAsyncScope(() => {
      const entry = entryState(internals)
      let completed = false
      pending = () => {
        body()
        completed = true
      }
      try {
        runInThisContext.call(script, { timeout: Math.ceil(milliseconds), displayErrors: false })
      } catch (error) {
        // Also where the body had just ended: the interruption may have come in the code right behind it. A full stack
        // is the other thing that may be thrown; it leaves the same disorder, because Node's `finally` overflows as well.
        repair(internals, entry)
        if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      }
      if (internals.hookFields[internals.kStackLength]! > entry.depth) repair(internals, entry)
      return completed
    }))
  } finally {
    scope.emitDestroy()
  }
}
