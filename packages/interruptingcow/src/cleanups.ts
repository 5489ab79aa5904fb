import { BoxError } from './errors.ts'

/** Something to do when a box ends. */
export interface Cleanup {
  run (): unknown
}

/** What can be disposed of, at once or with a promise. */
export type AnyDisposable = Disposable | AsyncDisposable

/**
 * Disposes of what a box holds.
 * @throws BoxError `GEORDI_BOX_BAD_OPTION` for what has no method for that
 */
export function dispose (resource: unknown): unknown {
  return disposerOf(resource)()
}

/**
 * The function that disposes of a resource.
 * @throws BoxError `GEORDI_BOX_BAD_OPTION` for what has no method for that
 */
export function disposerOf (resource: unknown): () => unknown {
  const methods = resource as Partial<Disposable & AsyncDisposable> | null | undefined
  const method = methods?.[Symbol.asyncDispose] ?? methods?.[Symbol.dispose]
  if (typeof method !== 'function') {
    throw new BoxError('GEORDI_BOX_BAD_OPTION', 'Nothing tells how to close what a box is to hold: ' +
      'it has neither Symbol.dispose nor Symbol.asyncDispose. Give `acquire` a function as its second argument.')
  }
  return () => method.call(resource)
}

/** Tells of a cleanup that failed where the box itself fails with something else. */
export function reportCleanupError (observer: ((error: unknown) => void) | undefined, error: unknown): void {
  if (observer !== undefined) observer(error)
  else process.emitWarning(`A cleanup of a time box failed: ${(error as Error | undefined)?.stack ?? String(error)}`, 'BoxCleanupWarning')
}
