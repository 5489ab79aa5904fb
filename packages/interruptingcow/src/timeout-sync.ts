import { type Interruption, type LimitedBox, NAMELESS } from './box.ts'
import { currentBox, boxes, detached } from './context.ts'
import { BoxError, TimeoutError } from './errors.ts'
import { checkLimit, type Limit } from './limit.ts'
import { type BoxOptions, checkBody, checkOptions, DEFAULT_CLEANUP_LIMIT } from './options.ts'
import { awaitTermination } from './sync/await-termination.ts'
import { hasDescriptors } from './sync/descriptors.ts'
import { prepareEngine, runInterruptibly } from './sync/engine.ts'
import { areGuarded, setGuarded } from './sync/guards.ts'
import { stackAbove } from './sync/frames.ts'
import { RunningSyncBox, type SyncBox } from './sync-box.ts'
import { likeOriginal } from './timeout-async.ts'

/**
 * How much sooner than the deadline of the box around it an inner one must be to be watched for itself, in milliseconds.
 * Each is watched by a thread of Node's; if both threads terminate the code at once, V8 counts one termination, and
 * the outer box would never hear of its own.
 */
const TIE = 5

/** How much sooner than its time `vm`'s timeout may come, in milliseconds: libuv's clock counts whole ones. */
const EARLY = 1

/** What a cleanup gets at least, when those before it have used up the time, in milliseconds. */
const LEAST_CLEANUP = 50

/**
 * The boxes on this thread's call stack. Above a running one stand those that were open when it was interrupted, for it
 * to clean up: their own code to do so was terminated with the rest.
 */
const open: RunningSyncBox[] = []

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** Calls deep, more than enough for what a box does after its body. */
const STACK_NEEDED = 100

/**
 * A stack that is full may throw anywhere: before a box has begun anything is the one place where nothing is left half done.
 * @throws RangeError
 */
function ensureStack (calls: number): number {
  return calls === 0 ? 0 : ensureStack(calls - 1) + 1
}

function innermostRunning (): RunningSyncBox | undefined {
  return open.findLast(box => box.state === 'running')
}

/** Runs a body in a synchronous box; the limit and the options were checked. */
function runSync<T> (limit: Limit, body: (box: SyncBox) => T, options: BoxOptions, name: string, isCleanup = false): T {
  prepareEngine()
  const around = innermostRunning()?.limiter
  const box = new RunningSyncBox(limit, name === '' ? NAMELESS : name, options, currentBox())
  box.limiter = firstDue(box, around)
  if (box.limiter !== box && box.overdue) {
    if (box.limiter === around) awaitTermination()
    throw box.limiter.reason
  }
  if (box.limit <= 0) throw box.reason
  ensureStack(STACK_NEEDED)
  const depth = open.push(box)
  box.quota?.enter(box)
  const outcome = runBody(box, body, box.limiter === around, isCleanup)
  // The outer one's termination may have been taken for this one's. It also cleans up.
  const now = performance.now()
  if (around !== undefined && around.deadline <= now + EARLY) awaitTermination()
  const expired = outcome === undefined || box.limiter.deadline <= now
  if (expired && box.limiter !== box) box.limiter.interruption = describeInterruption(box, depth)
  box.end(expired ? 'expired' : 'ended')
  const failures = cleanUpTo(depth - 1)
  if (expired) {
    report(box, failures)
    throw box.limiter.reason
  }
  if ('error' in outcome) {
    report(box, failures)
    throw outcome.error
  }
  const [first, ...others] = failures
  report(box, others)
  if (first !== undefined) throw first.error
  return refusePromise(outcome.value, box)
}

/** The box by whose deadline the body goes: its own, that of the async context, or that of the box around it on the stack. */
function firstDue (box: RunningSyncBox, around: LimitedBox | undefined): LimitedBox {
  const context = box.parent?.limiter
  const logical = context !== undefined && context.deadline <= box.deadline + 1 ? context : box
  return around !== undefined && around.deadline <= logical.deadline + TIE ? around : logical
}

/**
 * Cleanups are not guarded: a lock or a pool may need a timer to take back what it gave, and one is interrupted only
 * where it hangs, or where the time of an outer box comes.
 * @returns undefined where it was interrupted
 */
function runBody<T> (box: RunningSyncBox, body: (box: SyncBox) => T, watched: boolean, isCleanup: boolean): Outcome<T> | undefined {
  let outcome: Outcome<T> | undefined
  const run = () => {
    try {
      outcome = { value: boxes.run(box, body, box) }
    } catch (error) {
      outcome = { error }
    }
  }
  const guarded = areGuarded()
  try {
    if (isCleanup) setGuarded(false)
    else if (box.limiter.deadline < Infinity) setGuarded(true)
    if (watched) run()
    else runInterruptibly(box.limiter.deadline - performance.now(), run)
  } catch (error) {
    outcome = { error }
  } finally {
    setGuarded(guarded)
  }
  return outcome
}

/** Called after an interruption, when all that is above the call of the box has gone. */
function describeInterruption (box: RunningSyncBox, depth: number): Interruption {
  return {
    boxes: open.slice(depth - 1).map(({ label }) => label),
    elapsed: performance.now() - box.openedAt,
    stack: stackAbove(runSync)
  }
}

interface Failure {
  readonly error: unknown
}

/** Cleans up the boxes from the innermost one down to a depth of the stack, and takes them off it. */
function cleanUpTo (depth: number): Failure[] {
  const failures: Failure[] = []
  while (open.length > depth) {
    const box = open.at(-1)!
    // Those above the one that was interrupted never got to their end.
    if (box.state === 'running') {
      box.limiter = innermostEnded(depth).limiter
      box.end('expired')
    }
    if (!cleanUp(box, failures)) break
    open.pop()
  }
  return failures
}

function innermostEnded (depth: number): RunningSyncBox {
  return open[depth]!
}

/** Runs all that a box has to clean up. @returns false where the time of a box around it has come: that one goes on with the rest. */
function cleanUp (box: RunningSyncBox, failures: Failure[]): boolean {
  const { cleanups, options: { cleanupLimit = DEFAULT_CLEANUP_LIMIT }, label } = box
  const until = performance.now() + cleanupLimit
  const error = () => new TimeoutError('GEORDI_BOX_CLEANUP_TIMEOUT',
    `The cleanup of ${label} took longer than its limit of ${cleanupLimit} ms.`, cleanupLimit)
  const runAll = () => {
    // Taken off when it has run, so that one which a box around it interrupts is run again by that one.
    for (let cleanup = cleanups.at(-1); cleanup !== undefined; cleanup = cleanups.at(-1)) {
      try {
        cleanup.run()
      } catch (error) {
        failures.push({ error })
      }
      cleanups.splice(cleanups.lastIndexOf(cleanup), 1)
    }
  }
  while (cleanups.length > 0) {
    try {
      // What it closes may be what there is too much of: that must not depend on being interruptible.
      const limit = hasDescriptors(0) ? Math.max(until - performance.now(), LEAST_CLEANUP) : Infinity
      detached(() => { runSync(limit, runAll, { error }, 'cleanup', true) })
    } catch (error) {
      if (innermostRunning()?.overdue) return false
      failures.push({ error })
      cleanups.pop()
    }
  }
  return true
}

function report (box: RunningSyncBox, failures: readonly Failure[]): void {
  for (const { error } of failures) box.cleanupFailed(error)
}

function refusePromise<T> (value: T, box: RunningSyncBox): T {
  if (typeof (value as PromiseLike<unknown> | null | undefined)?.then !== 'function') return value
  Promise.resolve(value).catch(() => {})
  throw new BoxError('GEORDI_BOX_REFUSED',
    `${box.label} returned a promise to \`timeout.sync\`, which limits only what runs before that. Use \`timeout\`.`)
}

/**
 * Runs a synchronous function, and interrupts it when it takes longer than its limit: an endless loop, a regular
 * expression that doesn't come to an end, `Atomics.wait`. **No `catch` and no `finally` in it runs then**: what must be
 * undone is registered with `box.defer`, `box.use` or `box.acquire`.
 *
 * @param limit milliseconds, more than 0 (`Infinity` for none), or a `Quota`
 * @param body called at once, with the box
 * @returns what the body returns
 * @throws what the body throws; when the time is up the error of the `error` option, after the cleanup
 * @throws RangeError for a limit that is none
 * @throws BoxError `GEORDI_BOX_UNSUPPORTED` where Node's state could not be put right after an interruption;
 *   `GEORDI_BOX_REFUSED` for a body that returns a promise; `GEORDI_BOX_BAD_OPTION`
 */
export function timeoutSync<T> (limit: Limit, body: (box: SyncBox) => T, options?: BoxOptions): T {
  checkLimit(limit)
  checkBody(body)
  return runSync(limit, body, checkOptions(options), body.name)
}

/**
 * Makes a function whose every call runs in a synchronous box. It keeps its name, its length and its `this`; a
 * recursive call goes by the outermost one's deadline.
 *
 * @throws RangeError for a limit that is none, and BoxError `GEORDI_BOX_BAD_OPTION`
 */
export function wrapSync<This, Args extends unknown[], T> (
  limit: Limit, fn: (this: This, ...args: Args) => T, options?: BoxOptions
): (this: This, ...args: Args) => T {
  checkLimit(limit)
  checkBody(fn)
  const checked = checkOptions(options)
  return likeOriginal(fn, function (this: This, ...args: Args) {
    return runSync(limit, () => fn.apply(this, args), checked, fn.name)
  })
}

/**
 * Gets `timeout.sync` ready, which its first call does otherwise: some tens of milliseconds, once a thread.
 * @throws BoxError `GEORDI_BOX_UNSUPPORTED` where Node's state could not be put right after an interruption
 */
export function prepareSync (): void {
  prepareEngine()
}
