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
  /** What that is; left out where somebody else tells it. */
  awaited: Awaited | undefined
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
    this.#entries.add({ connection: new WeakRef(connection), ask, operation: undefined, awaited: undefined })
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
      else lookAt(entry, connection, now)
    }
  }

  /** What was waited for at the last look. Nobody is asked: the thread may be interrupted. */
  get awaited (): Awaited[] {
    return Array.from(this.#entries, ({ awaited }) => awaited).filter(awaited => awaited !== undefined)
  }
}

function lookAt (entry: Entry, connection: object, now: number): void {
  try {
    const asked = entry.ask(connection)
    if (asked?.operation === entry.operation) return
    entry.operation = asked?.operation
    entry.awaited = asked === undefined || readStamp(asked.operation) !== 0 ? undefined : { ...asked.describe(), start: now }
  } catch {
    // These are a driver's inner parts, and another version may have others.
    entry.operation = entry.awaited = undefined
  }
}

/** Connections outlive what asks them. */
export const connections = new Connections()
