import type { LockKind } from '@geordi/profile'
import type { RecordedLock, RecordedWaits } from './recording.ts'

/** What is known so far of a statement that waits for locks. Times are microseconds. */
export interface LockSeen {
  readonly kind: LockKind
  readonly holder: string
  /** That it was seen waiting, at least. */
  readonly least: number
  /** That it is known to have done something else. */
  readonly free: number
  /** Since when it waits no more, as far as is known; on the clock of `now()`. */
  readonly freeSince: number | undefined
}

/** The waits of a recording that were held up by locks. */
export class LockLog {
  readonly #seen = new Map<number, LockSeen>()
  readonly #silent = new Set<string>()

  /** @param row Of the wait; -1 for one that was only counted, of which nothing can be told. */
  note (row: number, seen: LockSeen): void {
    if (row >= 0) this.#seen.set(row, seen)
  }

  /** A server doesn't tell its user which statements wait for locks. */
  noteSilent (target: string): void {
    this.#silent.add(target)
  }

  toColumns (waits: RecordedWaits): { locks: RecordedLock[], silent?: readonly string[] } {
    const locks = Array.from(this.#seen, ([wait, { kind, holder, least, free, freeSince }]) => {
      const [start, end] = [waits.start[wait] as number, waits.end[wait] as number]
      const most = Math.max(0, end - start - free - Math.max(0, end - (freeSince ?? end)))
      return { wait, kind, time: Math.min(least, end - start), most: Math.max(most, Math.min(least, end - start)), holder }
    })
    return { locks, ...this.#silent.size > 0 && { silent: [...this.#silent] } }
  }
}
