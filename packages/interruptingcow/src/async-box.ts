import { LimitedBox, type Box } from './box.ts'
import { type AnyDisposable, type Cleanup, dispose, observe } from './cleanups.ts'
import { boxes, detached } from './context.ts'
import { BoxError, TimeoutError } from './errors.ts'
import { LONGEST_TIMER } from './milliseconds.ts'
import { DEFAULT_CLEANUP_LIMIT, type LateOutcome } from './options.ts'

/** What the body of an asynchronous box is given. */
export interface AsyncBox extends Box {
  /**
   * Opens what must be closed again, and closes it when the box ends. Nothing is lost if the time is up while it is
   * opening: what opens late is closed at once.
   *
   * @param open makes it; the box's `signal` is at hand for giving up
   * @param close gets it; without this function it is disposed of by its own method
   * @returns what was opened; rejects with what `open` threw, or with the box's error where its time is up
   */
  acquire<T> (open: () => T | PromiseLike<T>, close: (resource: T) => unknown): Promise<T>
  acquire<T extends AnyDisposable> (open: () => T | PromiseLike<T>): Promise<T>
}

/** How much sooner than an outer deadline an inner one must be to count, in milliseconds: a timer is off by as much. */
const TIE = 1

/** An asynchronous box from its opening to its end. */
export class RunningAsyncBox extends LimitedBox implements AsyncBox {
  declare parent: RunningAsyncBox | undefined
  /** Boxes that were opened in it and go on, in the order of their opening. */
  readonly inner = new Set<RunningAsyncBox>()
  /** The cleanups that go on of boxes in it. */
  readonly innerCleanups = new Set<Promise<unknown>>()
  /** Called when the time is up, before anything is done about it. */
  onExpire: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #resolve!: (value: any) => void
  #reject!: (error: unknown) => void
  #promise!: Promise<any>

  /** Calls the body, and settles as it does or when the time is up. */
  run<T> (body: (box: AsyncBox) => T | PromiseLike<T>): Promise<T> {
    this.quota?.enter(this)
    this.parent?.inner.add(this)
    this.#arm()
    this.#promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    let result
    try {
      result = boxes.run(this, body, this)
    } catch (error) {
      this.#failed(error)
      return this.#promise
    }
    Promise.resolve(result).then(value => { this.#fulfilled(value) }, (error: unknown) => { this.#failed(error) })
    return this.#promise
  }

  async acquire<T> (open: () => T | PromiseLike<T>, close: (resource: T) => unknown = dispose): Promise<T> {
    if (this.state !== 'running') throw this.#overError()
    let resource: T
    let opened = false
    const cleanup: Cleanup = { run: () => opened ? close(resource) : undefined, subject: open }
    this.cleanups.push(cleanup)
    try {
      resource = await open()
    } catch (error) {
      this.forget(cleanup)
      throw error
    }
    opened = true
    cleanup.subject = resource
    if (this.state === 'running') return resource
    this.runLate(() => close(resource))
    throw this.#overError()
  }

  /** The time is up: boxes in it fail first, then this one, each when its cleanup is done. */
  expire (): void {
    if (this.state !== 'running') return
    this.onExpire?.()
    this.state = 'expired'
    this.#leave()
    for (const box of [...this.inner].reverse()) {
      // Who waits for it was given up as well, so nobody may be left to handle its error.
      box.#promise.catch(() => {})
      box.limiter = this.limiter
      box.expire()
    }
    this.abortSignal()
    this.#settle(() => { this.#reject(this.limiter.reason) })
  }

  /** Starts the clock, unless a box around it is due first. */
  #arm (): void {
    const outer = this.parent?.limiter
    if (outer !== undefined && outer.deadline <= this.deadline + TIE) this.limiter = outer
    else {
      this.limiter = this
      if (this.deadline < Infinity && this.#timer === undefined) this.#startTimer()
    }
  }

  #startTimer (): void {
    const delay = Math.max(1, Math.ceil(this.deadline - performance.now()))
    this.#timer = setTimeout(onTimer, Math.min(delay, LONGEST_TIMER), this)
  }

  /** The timer has fired: at the time, also where a test moves only the timers' clock, or after the longest delay that there is. */
  timerFired (): void {
    if (this.limit > LONGEST_TIMER && this.deadline - performance.now() > TIE) this.#startTimer()
    else if (this.parent?.overdue) (this.parent.limiter as RunningAsyncBox).expire()
    else this.expire()
  }

  #fulfilled (value: unknown): void {
    if (this.#isLate()) this.#late({ status: 'fulfilled', value })
    else {
      this.#end()
      this.#settle(() => { this.#resolve(value) }, error => { this.#reject(error) })
    }
  }

  #failed (reason: unknown): void {
    if (this.#isLate()) this.#late({ status: 'rejected', reason })
    else {
      this.#end()
      this.#settle(() => { this.#reject(reason) })
    }
  }

  #late (outcome: LateOutcome): void {
    observe('onLate', this.options.onLate, outcome)
  }

  /** What ends after the deadline is late, also where something blocked the timer until now. */
  #isLate (): boolean {
    if (this.state === 'running' && this.overdue) (this.limiter as RunningAsyncBox).expire()
    return this.state !== 'running'
  }

  #end (): void {
    this.state = 'ended'
    this.#leave()
    // What it began and didn't wait for goes on in the box around it.
    for (const box of this.inner) box.#moveTo(this.parent)
  }

  #moveTo (parent: RunningAsyncBox | undefined): void {
    this.parent = parent
    parent?.inner.add(this)
    this.#rearm()
  }

  #rearm (): void {
    this.#arm()
    for (const box of this.inner) box.#rearm()
  }

  #leave (): void {
    clearTimeout(this.#timer)
    this.quota?.leave(this, this.state === 'expired' && this.limiter === this)
    this.parent?.inner.delete(this)
  }

  /**
   * Settles when cleanup is done: as it does now, if there is none to do.
   * @param failed called instead with the first error of a cleanup; by default it is reported like the others
   */
  #settle (done: () => void, failed?: (error: unknown) => void): void {
    if (this.cleanups.length === 0 && this.innerCleanups.size === 0) {
      done()
      return
    }
    const cleaned = this.#clean().then(failures => {
      this.parent?.innerCleanups.delete(cleaned)
      const first = failed === undefined ? undefined : failures.shift()
      for (const failure of failures) this.cleanupFailed(failure.error)
      if (first === undefined) done()
      else failed?.(first.error)
    })
    this.parent?.innerCleanups.add(cleaned)
  }

  /** Runs the cleanups, the last one first, after those of the boxes in it. */
  async #clean (): Promise<Failure[]> {
    const failures: Failure[] = []
    const limit = this.options.cleanupLimit ?? DEFAULT_CLEANUP_LIMIT
    const error = () => new TimeoutError('GEORDI_BOX_CLEANUP_TIMEOUT',
      `The cleanup of ${this.label} took longer than its limit of ${limit} ms.`, limit)
    // In a box of its own, and not in the one that may just have expired, so that cleanup can use boxes too.
    const box = new RunningAsyncBox(limit, `The cleanup of ${this.label}`, { error }, undefined)
    const start = async () => {
      try {
        await this.cleanups.pop()?.run()
      } catch (error) {
        failures.push({ error })
      }
    }
    try {
      await box.run(async () => {
        if (this.innerCleanups.size > 0) await Promise.all(this.innerCleanups)
        while (this.cleanups.length > 0) await start()
      })
    } catch (error) {
      failures.push({ error })
      detached(() => { while (this.cleanups.length > 0) start() })
    }
    return failures
  }

  #overError (): unknown {
    return this.state === 'expired'
      ? this.limiter.reason
      : new BoxError('GEORDI_BOX_REFUSED', `${this.label} has ended, so it can't close what would be opened in it now.`)
  }
}

interface Failure {
  readonly error: unknown
}

function onTimer (box: RunningAsyncBox): void {
  box.timerFired()
}
