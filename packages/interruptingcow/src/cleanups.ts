import { BoxError } from './errors.ts'

/** Something to do when a box ends. */
export interface Cleanup {
  run (): unknown
  /** What it is about, for reports: the function that was deferred, the one that opens, or what is held. */
  subject: unknown
}

/** The name of what a cleanup is about, for a log. */
export function describeCleanup ({ subject }: Cleanup): string {
  if (typeof subject === 'function') return subject.name === '' ? 'a function' : `${subject.name}()`
  const constructor = (subject as object | null | undefined)?.constructor
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : typeof subject
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
  if (observer !== undefined) observe('onCleanupError', observer, error)
  else process.emitWarning(`A cleanup of a time box failed: ${(error as Error | undefined)?.stack ?? String(error)}`, 'BoxCleanupWarning')
}

/** Tells an observer. What it throws must not keep a box from its end. */
export function observe<T> (name: string, observer: ((subject: T) => void) | undefined, subject: T): void {
  try {
    observer?.(subject)
  } catch (error) {
    process.emitWarning(`\`${name}\` of a time box failed: ${(error as Error | undefined)?.stack ?? String(error)}`, 'BoxObserverWarning')
  }
}
