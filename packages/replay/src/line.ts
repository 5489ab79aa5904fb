/** How many are served at once: so many does the server's round trip hide, and the event loop is kept by no more. */
const SERVED = 4

/**
 * Where those stand who want something of the queue server while somebody waits for each answer. Hundreds at once would keep the
 * event loop from everybody else for as long as they take together, and each would be late for its deadline.
 */
export class Line {
  readonly #patience: number
  readonly #waiting: Array<() => void> = []
  #served = 0
  #answers = 0

  /** @param patience Milliseconds without any answer of the server's after which who waits gives up. */
  constructor (patience: number) {
    this.#patience = patience
  }

  /**
   * Does the work when it is its turn. Gives up when the server has answered nobody for too long, in the line or in its turn; the
   * work does not begin then, or what it does counts no more.
   * @throws what `late` gives, then.
   */
  async pass<Result> (work: () => Promise<Result>, late: () => Error): Promise<Result> {
    let timer: NodeJS.Timeout | undefined
    let gone = false
    const patience = new Promise<never>((_resolve, reject) => {
      const wait = (): void => {
        const answers = this.#answers
        timer = setTimeout(() => { if (this.#answers === answers) reject(late()); else wait() }, this.#patience)
      }
      wait()
    })
    try {
      return await Promise.race([patience, this.#turn(async () => gone ? patience : work())])
    } finally {
      gone = true
      clearTimeout(timer)
    }
  }

  async #turn<Result> (work: () => Promise<Result>): Promise<Result> {
    if (this.#served >= SERVED) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#served++
    try {
      const result = await work()
      this.#answers++
      return result
    } finally {
      const next = this.#waiting.shift()
      // In a turn of the event loop of its own: others have theirs in between.
      if (next === undefined) this.#served--
      else setImmediate(next)
    }
  }
}
