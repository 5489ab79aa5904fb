import { AsyncResource, executionAsyncId } from 'node:async_hooks'
import { Module } from 'node:module'
import { BoxError } from '../errors.ts'
import { closureOf } from './closures.ts'

/**
 * What Node keeps about the code that runs, which an interruption leaves as it was in the middle of something, because
 * V8 runs no `finally` when it terminates.
 *
 * None of it has a public name. It is in the closures of two public functions (lib/internal/async_hooks.js and
 * lib/async_hooks.js in Node's sources), where the inspector's protocol can reach it.
 */
export interface Internals {
  /** Depth of the stack of execution ids is at `kStackLength`. */
  readonly hookFields: Uint32Array
  /** The default trigger id is at `kDefaultTriggerAsyncId`. */
  readonly idFields: Float64Array
  readonly kStackLength: number
  readonly kDefaultTriggerAsyncId: number
  /** Ends the execution of a resource: calls the `after` hooks and pops the stack. */
  readonly emitAfter: (asyncId: number) => void
  /** Node's own modules, which it loads when they are first needed. */
  readonly builtins: ReadonlyMap<string, BuiltinModule>
}

/** A module of Node's own (lib/internal/bootstrap/realm.js). While it is `loading` it is handed out as it is. */
interface BuiltinModule {
  loaded: boolean
  loading: boolean
  exports: object
}

/**
 * Finds the internals, and tries whether they are what they should be.
 * @throws BoxError `GEORDI_BOX_UNSUPPORTED` where they aren't, or can't be reached
 */
export function findInternals (): Internals {
  let found: Record<string, unknown>
  try {
    found = {
      ...closureOf(executionAsyncId, ['async_hook_fields', 'async_id_fields', 'kStackLength', 'kDefaultTriggerAsyncId']),
      ...closureOf(AsyncResource.prototype.runInAsyncScope, ['emitBefore', 'emitAfter']),
      ...closureOf(Reflect.get(Module, '_load'), ['BuiltinModule'])
    }
  } catch (error) {
    throw unsupported('the inspector, through which this is done, does not work here (`--permission`, or a Node.js without it)', error)
  }
  const internals = {
    hookFields: found.async_hook_fields,
    idFields: found.async_id_fields,
    kStackLength: found.kStackLength,
    kDefaultTriggerAsyncId: found.kDefaultTriggerAsyncId,
    emitAfter: found.emitAfter,
    builtins: (found.BuiltinModule as { map?: unknown } | undefined)?.map
  } as Internals
  if (!(internals.hookFields instanceof Uint32Array && internals.idFields instanceof Float64Array &&
    Number.isInteger(internals.kStackLength) && Number.isInteger(internals.kDefaultTriggerAsyncId) &&
    typeof internals.emitAfter === 'function' && isLoaded(internals.builtins) && typeof found.emitBefore === 'function' && behavesAsExpected(internals, found.emitBefore as EmitBefore))) {
    throw unsupported(`Node.js ${process.version} keeps its asynchronous state in another way than the versions that are known here`)
  }
  return Object.freeze(internals)
}

/** Whether a module that certainly is loaded says so. */
function isLoaded (builtins: unknown): boolean {
  // It is no instance of Map: Node keeps a class of its own, safe from changes to that.
  const module = (builtins as Internals['builtins'] | undefined)?.get?.('async_hooks')
  return module?.loaded === true && module.loading === false && typeof module.exports === 'object'
}

/** Enters a resource and leaves it with `emitAfter`, as a repair does, and looks at the depth and at who executes. */
function behavesAsExpected ({ hookFields, kStackLength, emitAfter }: Internals, emitBefore: EmitBefore): boolean {
  const outer = executionAsyncId()
  const depth = hookFields[kStackLength]!
  const probe = new AsyncResource('BoxProbe', { requireManualDestroy: true })
  emitBefore(probe.asyncId(), probe.triggerAsyncId(), probe)
  const entered = hookFields[kStackLength] === depth + 1 && executionAsyncId() === probe.asyncId()
  emitAfter(executionAsyncId())
  return entered && hookFields[kStackLength] === depth && executionAsyncId() === outer
}

type EmitBefore = (asyncId: number, triggerId: number, resource: object) => void

/** This process can't be put right after an interruption. */
export function unsupported (why: string, cause?: unknown): BoxError {
  return new BoxError('GEORDI_BOX_UNSUPPORTED', `timeout.sync can't work here: after an interruption it must put Node's own state right, and ${why}. Use \`timeout.isolated\`, which needs nothing of the kind.`, cause === undefined ? undefined : { cause })
}
