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

function textOf (values: unknown): string {
  try {
    const some = Array.isArray(values) ? values.filter(value => value !== undefined) : [values]
    const value: unknown = some.length === 1 ? some[0] : some
    const text = typeof value === 'string'
      ? value
      : inspect(value, { depth: 4, customInspect: false, maxArrayLength: 20, maxStringLength: MOST_LENGTH, breakLength: Infinity, compact: true })
    // What is cut from a text keeps all of that alive.
    return text.length > MOST_LENGTH ? Buffer.from(`${text.slice(0, MOST_LENGTH - 1)}…`).toString() : text
  } catch {
    // A getter of the app's own has thrown.
    return ''
  }
}
