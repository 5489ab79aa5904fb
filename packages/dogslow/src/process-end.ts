import { SIGNALS, type Shared } from './shared.ts'

const NUMBERS = new Map<string | symbol, number>(Object.entries(SIGNALS))

/** What concerns the end of the process: who else listens to signals, and an exit with requests open. */
export class ProcessEnd {
  readonly #shared: Shared
  readonly #exit: (code: number) => void

  constructor (shared: Shared, exit: (code: number) => void) {
    this.#shared = shared
    this.#exit = exit
    for (const [name, at] of NUMBERS) Atomics.store(shared.header, at, process.listenerCount(name))
    process.on('newListener', this.#added)
    process.on('removeListener', this.#removed)
    process.on('exit', this.#exit)
  }

  close (): void {
    process.off('exit', this.#exit)
    process.off('newListener', this.#added)
    process.off('removeListener', this.#removed)
  }

  readonly #added = (name: string | symbol): void => this.#count(name, 1)
  readonly #removed = (name: string | symbol): void => this.#count(name, 0)

  /** Node tells of a new listener before it is there, and of a removed one when it's gone. */
  #count (name: string | symbol, more: number): void {
    const at = NUMBERS.get(name)
    if (at !== undefined) Atomics.store(this.#shared.header, at, process.listenerCount(name) + more)
  }
}
