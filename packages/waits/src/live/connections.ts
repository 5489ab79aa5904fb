import type { WaitStart } from '../wait-log.ts'
import { readStamp, writeStamp } from '../stamp.ts'

/** Reads from a driver's connection what it is waiting for, which is the oldest of what it was asked; `undefined` where that is nothing. */
export type AskConnection = (connection: any) => Asked | undefined

export interface Asked {
  /** The driver's own object of that operation: as long as it is the same, it is the same operation. */
  readonly operation: object
  readonly describe: () => WaitStart
}

/** What a connection waits for. */
export interface Awaited extends WaitStart {
  /** When that was seen first, as `performance.now()`. */
  readonly start: number
}

interface Entry {
  readonly connection: WeakRef<object>
  readonly ask: AskConnection
  operation: object | undefined
  since: number
}

/**
 * The connections of drivers that can be asked what they wait for. To ask a few connections some times a second costs nothing beside noting each of the
 * thousand operations that they do meanwhile.
 */
export class Connections {
  readonly #entries = new Set<Entry>()

  /** Asks that connection, too, from now on. */
  add (connection: object, ask: AskConnection): void {
    // A Set would cost each operation more than all the rest.
    if (readStamp(connection) !== 0) return
    writeStamp(connection, 1)
    this.#entries.add({ connection: new WeakRef(connection), ask, operation: undefined, since: 0 })
  }

  /** Leaves out an operation that somebody else tells. */
  exclude (operation: object): void {
    writeStamp(operation, 1)
  }

  /** Looks at all of them. */
  look (now: number): void {
    for (const entry of this.#entries) {
      const connection = entry.connection.deref()
      if (connection === undefined) this.#entries.delete(entry)
      const operation = connection === undefined ? undefined : askSafely(entry.ask, connection)?.operation
      if (operation !== entry.operation) {
        entry.operation = operation
        entry.since = now
      }
    }
  }

  /** What is waited for that was waited for at the last look. */
  awaited (): Awaited[] {
    return [...this.#entries].flatMap(({ connection, ask, operation, since }) => {
      const asked = askSafely(ask, connection.deref())
      return asked === undefined || asked.operation !== operation || readStamp(operation) !== 0 ? [] : [{ ...asked.describe(), start: since }]
    })
  }
}

/** These are a driver's inner parts, and another version may have others. */
function askSafely (ask: AskConnection, connection: object | undefined): Asked | undefined {
  try {
    return connection === undefined ? undefined : ask(connection)
  } catch {
    return undefined
  }
}

/** Connections outlive what asks them. */
export const connections = new Connections()
