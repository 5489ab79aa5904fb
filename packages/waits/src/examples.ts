import { inspect } from 'node:util'

/** Characters that are kept; values can be files. */
const MOST_LENGTH = 300

/** What the longest wait of each operation was asked with. Only where somebody wants it: there may be secrets among the values. */
export class Examples {
  readonly #open = new Map<number, unknown>()
  /** By operation. */
  readonly #longest: Array<{ readonly time: number, readonly values: string } | undefined> = []

  /** The waits that have not ended. */
  get open (): Iterable<number> {
    return this.#open.keys()
  }

  opened (wait: number, values: unknown): void {
    if (values !== undefined) this.#open.set(wait, values)
  }

  /** A wait has lasted for so many microseconds until now. */
  lasted (wait: number, operation: number, time: number): void {
    if (!this.#open.has(wait) || time <= (this.#longest[operation]?.time ?? -1)) return
    this.#longest[operation] = { time, values: textOf(this.#open.get(wait)) }
  }

  ended (wait: number): void {
    this.#open.delete(wait)
  }

  of (operation: number): string | undefined {
    return this.#longest[operation]?.values
  }
}

/** Without any code of the app's: it might throw, or ask something itself. */
function textOf (values: unknown): string {
  const some = Array.isArray(values) ? values.filter(value => value !== undefined) : [values]
  const value: unknown = some.length === 1 ? some[0] : some
  const text = typeof value === 'string'
    ? value
    : inspect(value, { depth: 4, customInspect: false, maxArrayLength: 20, maxStringLength: MOST_LENGTH, breakLength: Infinity, compact: true })
  return text.length > MOST_LENGTH ? `${text.slice(0, MOST_LENGTH - 1)}…` : text
}
