import { AsyncResource, executionAsyncId } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import inspector from 'node:inspector'
import { BoxError } from '../errors.ts'

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
      ...closureOf(AsyncResource.prototype.runInAsyncScope, ['emitBefore', 'emitAfter'])
    }
  } catch (error) {
    throw unsupported('the inspector, through which this is done, does not work here (`--permission`, or a Node.js without it)', error)
  }
  const internals = {
    hookFields: found.async_hook_fields,
    idFields: found.async_id_fields,
    kStackLength: found.kStackLength,
    kDefaultTriggerAsyncId: found.kDefaultTriggerAsyncId,
    emitAfter: found.emitAfter
  } as Internals
  if (!(internals.hookFields instanceof Uint32Array && internals.idFields instanceof Float64Array &&
    Number.isInteger(internals.kStackLength) && Number.isInteger(internals.kDefaultTriggerAsyncId) &&
    typeof internals.emitAfter === 'function' && typeof found.emitBefore === 'function' && behavesAsExpected(internals, found.emitBefore as EmitBefore))) {
    throw unsupported(`Node.js ${process.version} keeps its asynchronous state in another way than the versions that are known here`)
  }
  return Object.freeze(internals)
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

function closureOf (fn: Function, names: string[]): Record<string, unknown> {
  const session = new inspector.Session()
  // The values come over through a property, because the protocol itself hands out only descriptions of them.
  const exchange = `interruptingcow:${randomUUID()}`
  const globals = globalThis as unknown as Record<string, unknown>
  session.connect()
  try {
    globals[exchange] = fn
    const { result } = post<{ result: Remote }>(session, 'Runtime.evaluate', { expression: `globalThis[${JSON.stringify(exchange)}]` })
    const { internalProperties } = post<{ internalProperties: Property[] }>(session, 'Runtime.getProperties', { objectId: result.objectId })
    const scopes = internalProperties.find(property => property.name === '[[Scopes]]')
    const closures = properties(session, scopes?.value?.objectId)
      .filter(scope => /^Closure/.test(scope.value?.description ?? ''))
    const values: Record<string, unknown> = {}
    for (const closure of closures) {
      for (const { name, value } of properties(session, closure.value?.objectId)) {
        if (!names.includes(name) || value === undefined) continue
        if (value.objectId === undefined) values[name] = value.value
        else {
          post(session, 'Runtime.callFunctionOn', {
            objectId: value.objectId, functionDeclaration: `function () { globalThis[${JSON.stringify(exchange)}] = this }`
          })
          values[name] = globals[exchange]
        }
      }
    }
    return values
  } finally {
    delete globals[exchange]
    session.disconnect()
  }
}

interface Remote { readonly objectId?: string, readonly value?: unknown, readonly description?: string }
interface Property { readonly name: string, readonly value?: Remote }

function properties (session: inspector.Session, objectId: string | undefined): Property[] {
  if (objectId === undefined) return []
  return post<{ result: Property[] }>(session, 'Runtime.getProperties', { objectId, ownProperties: true }).result
}

/** A session of a thread with itself answers before `post` returns. */
function post<R> (session: inspector.Session, method: string, params: object): R {
  let answer: R | undefined
  const failures: Error[] = []
  session.post(method, params, (error: Error | null, result?: object) => {
    if (error !== null) failures.push(error)
    answer = result as R
  })
  if (failures[0] !== undefined) throw failures[0]
  if (answer === undefined) throw new Error(`The inspector did not answer ${method}.`)
  return answer
}

function unsupported (why: string, cause?: unknown): BoxError {
  return new BoxError('GEORDI_BOX_UNSUPPORTED', `timeout.sync can't work here: after an interruption it must put Node's own state right, and ${why}. Use \`timeout.isolated\`, which needs nothing of the kind.`, cause === undefined ? undefined : { cause })
}
