import { newReportId } from '../describe.ts'
import { mayBeOpen, SIGNALS, type Signal } from '../shared.ts'
import { askMainThread } from './ask.ts'
import { hangingReport, type BlockedParts } from './blocked.ts'
import { hearSignals, type SignalHandles } from './signals.ts'

/** Milliseconds that the main thread has to tell what it is at, when the process is being ended. */
const PATIENCE = 300
/** Milliseconds by which the end of a process with open requests is put off for the slower sinks: who sent the signal gives it some seconds. */
const SINKS_LIMIT = 1000

export interface SignalParts extends Omit<BlockedParts, 'taken' | 'isTelling'> {
  /** Settles when all sinks have sent what they have, or so many milliseconds are over. */
  readonly allSent: (limit: number) => Promise<void>
  readonly complain: (sink: string, message: string) => void
}

/** Writes down what a process was doing that is being ended, and then lets it end as it would have. */
export class SignalWatch {
  readonly #parts: SignalParts
  readonly #handles: SignalHandles | undefined
  #ending = false

  constructor (parts: SignalParts) {
    this.#parts = parts
    this.#handles = hearSignals(signal => {
      this.#heard(signal).catch((error: unknown) => parts.complain('signals', (error as Error).message))
    })
    if (this.#handles === undefined) parts.complain('signals', 'This version of Node lets no thread hear signals: what a signal interrupts is not reported.')
  }

  close (): void {
    this.#handles?.close()
  }

  async #heard (signal: Signal): Promise<void> {
    const { shared, allSent } = this.#parts
    try {
      if (mayBeOpen(shared) && !this.#ending) {
        this.#ending = true
        await this.#report(signal)
        if (!this.#isAppsOwn(signal)) await allSent(SINKS_LIMIT)
      }
    } finally {
      this.#ending = false
      // An app that listens itself decides what becomes of it.
      if (!this.#isAppsOwn(signal)) this.#handles?.passOn(signal)
    }
  }

  #isAppsOwn (signal: Signal): boolean {
    return Atomics.load(this.#parts.shared.header, SIGNALS[signal]) > 0
  }

  async #report (signal: Signal): Promise<void> {
    const { data, clock, deliver } = this.#parts
    const id = newReportId()
    const asked = await askMainThread(data.instance, { purpose: 'stopped', cause: signal, deadline: clock.now() + PATIENCE, report: id }, PATIENCE, () => {})
    // All that came since the last tick is answered.
    if (asked.type === 'idle') return
    deliver(asked.type === 'report' ? asked.report : { ...hangingReport(id, 'stopped', this.#parts), cause: signal })
  }
}
