import type { ReplayError } from '@geordi/replay'
import type { Log } from './worker.ts'

/** Milliseconds between two lines about one absence of the queue server. */
const REMINDER = 60_000

/** Tells an operator of trouble with the queue: each thing once, and an absence of the server in a line a minute. */
export class TroubleLog {
  readonly #log: Log
  #errors = 0
  #last = ''
  #told = 0

  constructor (log: Log) {
    this.#log = log
  }

  error (error: Error): void {
    const { code } = error as ReplayError
    const line = `${code ?? error.name}: ${error.message}`
    if (code !== 'GEORDI_QUEUE_UNAVAILABLE') {
      // A server that refuses is asked again every second, and says the same each time.
      if (line !== this.#last || Date.now() - this.#told >= REMINDER) this.#tell(line)
      return
    }
    this.#errors++
    if (this.#errors === 1) this.#tell(`${line} The worker waits for it.`)
    else if (Date.now() - this.#told >= REMINDER) this.#tell(`The queue server is still away (${this.#errors} attempts).`)
  }

  /** The queue server answers again. */
  back (): void {
    this.#errors = 0
    this.#log('The queue server is back.')
  }

  #tell (line: string): void {
    this.#told = Date.now()
    this.#last = line
    this.#log(line)
  }
}
