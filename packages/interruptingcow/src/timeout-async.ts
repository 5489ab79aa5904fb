import { type AsyncBox, RunningAsyncBox } from './async-box.ts'
import { LimitedBox, NAMELESS } from './box.ts'
import { currentBox } from './context.ts'
import { BoxError } from './errors.ts'
import { checkLimit, type Limit } from './limit.ts'
import { areGuarded } from './sync/guards.ts'
import { type AsyncBoxOptions, checkBody, checkOptions } from './options.ts'

/** The innermost asynchronous box with a say: a synchronous one limits only what runs synchronously in it. */
function currentAsyncBox (): RunningAsyncBox | undefined {
  let box: LimitedBox | undefined = currentBox()
  while (box !== undefined && !(box instanceof RunningAsyncBox)) box = box.parent
  return box
}

/** Runs a body in an asynchronous box; the limit and the options were checked. */
export function runAsync<T> (
  limit: Limit, body: (box: AsyncBox) => T | PromiseLike<T>, options: AsyncBoxOptions, name: string
): Promise<T> {
  if (areGuarded()) {
    throw new BoxError('GEORDI_BOX_REFUSED', 'An asynchronous box is refused in `timeout.sync`: if it were interrupted, ' +
      'Node\'s lists of timers would be broken. Use `timeout.sync` in the box as well, or `timeout` around both.')
  }
  const parent = currentAsyncBox()
  const box = new RunningAsyncBox(limit, name === '' ? NAMELESS : name, options, parent)
  if (parent?.overdue) return Promise.reject(parent.limiter.reason)
  if (box.limit <= 0) return Promise.reject(box.reason)
  return box.run(body)
}

/**
 * Runs a function and fails when it takes longer than its limit, whether or not it listens to the box's signal.
 *
 * A box in another one, in the same async context, is interrupted when the first of their deadlines comes, with the
 * outer box's error if that is the outer one or they come together. What runs synchronously blocks the timer; it is
 * interrupted only in `timeout.sync`.
 *
 * @param limit milliseconds, more than 0 (`Infinity` for none), or a `Quota`
 * @param body called at once, with the box
 * @returns what the body returns or rejects with; when the time is up rejects with the error of the `error` option, after the cleanup
 * @throws RangeError for a limit that is none, and BoxError `GEORDI_BOX_BAD_OPTION`; `GEORDI_BOX_REFUSED` in `timeout.sync`
 */
export function timeoutAsync<T> (
  limit: Limit, body: (box: AsyncBox) => T | PromiseLike<T>, options?: AsyncBoxOptions
): Promise<T> {
  checkLimit(limit)
  checkBody(body)
  return runAsync(limit, body, checkOptions(options), body.name)
}

/**
 * Makes a function whose every call runs in a box. It keeps its name, its length and its `this`; a recursive call
 * goes by the outermost one's deadline.
 *
 * @returns the function; it returns a promise
 * @throws RangeError for a limit that is none, and BoxError `GEORDI_BOX_BAD_OPTION`
 */
export function wrapAsync<This, Args extends unknown[], T> (
  limit: Limit, fn: (this: This, ...args: Args) => T | PromiseLike<T>, options?: AsyncBoxOptions
): (this: This, ...args: Args) => Promise<T> {
  checkLimit(limit)
  checkBody(fn)
  const checked = checkOptions(options)
  return likeOriginal(fn, function (this: This, ...args: Args) {
    return runAsync(limit, () => fn.apply(this, args), checked, fn.name)
  })
}

/** Gives a wrapper the name and the length of what it wraps. */
export function likeOriginal<F extends Function> (original: Function, wrapper: F): F {
  return Object.defineProperties(wrapper, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true }
  })
}
