/** Milliseconds that may be spent at once, where the share is a hundredth or more. */
const BURST = 100
/** Milliseconds in which the room is full again that was used up, for smaller shares. */
const REFILL = 10_000
/** Milliseconds that one spending counts for at most: in more, the process was taken off the processor. */
const LONGEST = 1

/** Room for what costs time: a share of the time that goes by. One half is kept for what is rare. */
export class Budget {
  readonly #share: number
  readonly #most: number
  #room: number
  #filled = performance.now()

  /** @param share 0 for no room ever; 1 for always. */
  constructor (share: number) {
    this.#share = share
    this.#most = Math.min(BURST, share * REFILL)
    this.#room = this.#most
  }

  hasRoom (now: number, isRare: boolean): boolean {
    this.fill(now)
    return isRare ? this.isOpenForRare : this.isOpen
  }

  /** Makes room for the time that has gone by. */
  fill (now: number): void {
    this.#room = Math.min(this.#most, this.#room + (now - this.#filled) * this.#share)
    this.#filled = now
  }

  /** Whether there was room at the last look for what is not rare. */
  get isOpen (): boolean {
    return this.#room > this.#most / 2
  }

  /** Whether there was room at the last look for what is rare. */
  get isOpenForRare (): boolean {
    return this.#room > 0
  }

  /** @param time Milliseconds that were spent. */
  spend (time: number): void {
    this.#room -= Math.min(time, LONGEST)
  }
}
