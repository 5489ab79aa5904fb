import { serialize } from 'node:v8'
import { isMainThread } from 'node:worker_threads'

/** What a process or thread of the pool is asked to do. */
export interface IsolatedTask {
  /** URL of the module. */
  readonly module: string
  /** Name of the function it exports. */
  readonly name: string
  readonly args: readonly unknown[]
}

/** What came of it. An error's own properties, such as `code`, come beside it, because structured clones lose them. */
export type IsolatedOutcome =
  | { readonly value: unknown }
  | { readonly error: unknown, readonly properties: object }

/** Loads the module and calls its function: what the pool runs. */
export async function run ({ module, name, args }: IsolatedTask): Promise<IsolatedOutcome> {
  try {
    const exported = (await import(module) as Record<string, unknown>)[name]
    if (typeof exported !== 'function') {
      throw new TypeError(`The module ${module} exports no function called "${name}".`)
    }
    const value = await exported(...args)
    const failure = copyFailure(value)
    if (failure !== undefined) throw new TypeError(`What "${name}" of ${module} returned can't be copied: ${failure}`)
    return { value }
  } catch (error) {
    return failed(error)
  }
}

function failed (error: unknown): IsolatedOutcome {
  if (!(error instanceof Error)) {
    const failure = copyFailure(error)
    return { error: failure === undefined ? error : new TypeError(`What was thrown can't be copied: ${failure}`), properties: {} }
  }
  const properties = Object.fromEntries(Object.entries(error).filter(([, value]) => copyFailure(value) === undefined))
  // Not the error itself, whose cause and whose own getters may be anything.
  if (copyFailure(error) === undefined) return { error, properties }
  const copy = new Error(error.message)
  if (error.stack !== undefined) copy.stack = error.stack
  return { error: copy, properties: { ...properties, name: error.name } }
}

/**
 * Why something can't be sent back, if it can't. The pool would not say so: a process of it dies of that, and a thread
 * sends an empty object.
 */
function copyFailure (value: unknown): string | undefined {
  try {
    if (isMainThread) serialize(value)
    else structuredClone(value)
  } catch (error) {
    return (error as Error).message
  }
}
