/**
 * The result store: keeps what is known of each replay until it expires. It holds sealed bytes and
 * nothing that tells what they are about; Redis and PostgreSQL implement it, one conformance suite
 * (test/conformance.ts) runs on both.
 *
 * Every method rejects with ReplayError `GEORDI_QUEUE_UNAVAILABLE` when the server is away.
 */
export interface ResultStore {
  /** Writes a new replay with its captured request, unless there are too many; then tells of what and writes nothing. */
  create (id: string, record: Uint8Array, capture: Uint8Array, terms: Terms): Promise<Excess | null>
  /** What is known of a replay; null when it never was or has expired. */
  read (id: string): Promise<StoredReplay | null>
  /** Replaces the record; with `ends` the replay is open no longer. False when it is not there (any more). */
  write (id: string, record: Uint8Array, ends: boolean): Promise<boolean>
  /**
   * True for the first caller ever, false for each later one: what makes a replay run at most once. The captured request
   * goes with it, so that there is nothing left to run.
   */
  claim (id: string): Promise<boolean>
  /**
   * A worker's sign of life: {@link StoredReplay.leased} is true for the next `duration` milliseconds. The replay is out of
   * the queue, and open for as long as that.
   */
  lease (id: string, duration: number): Promise<void>
  /** Stores an artefact's bytes in place of those before; nothing where the replay is not there (any more). */
  put (id: string, artefact: string, bytes: Uint8Array): Promise<void>
  /** An artefact's bytes, or the captured request's under {@link CAPTURE}; null when they are not there (any more). */
  get (id: string, artefact: string): Promise<Buffer | null>
  /** Removes everything of the replay. */
  remove (id: string): Promise<void>
  /** Removes what has expired, and of what is neither queued nor leased the oldest that is too much. The newest replay stays. */
  forget (retention: Retention): Promise<void>
}

/** On which terms a replay is taken into the store. A replay is open while it is queued or leased and has not ended. */
export interface Terms {
  /** Seconds until it expires. */
  readonly ttl: number
  /** Seconds that it counts as queued, unless a worker takes it. */
  readonly startWithin: number
  /** Whose it is: a text that tells nobody who that is. */
  readonly owner: string
  /** How many of the owner's may be open, this one included. */
  readonly maxOpen: number
  /** How many may be queued, this one included. */
  readonly maxQueued: number
}

/** Of what there are too many: the owner's open replays, or queued ones. */
export type Excess = 'open' | 'queued'

/** How much is kept, and for how long. */
export interface Retention {
  /** Seconds that each replay is kept. */
  readonly ttl: number
  /** How many replays. */
  readonly count: number
  /** How many bytes all of them may hold together. */
  readonly bytes: number
}

/** What the store holds of a replay beside its artefacts. */
export interface StoredReplay {
  /** Sealed. */
  readonly record: Buffer
  /** Whether {@link ResultStore.claim} was called for it. */
  readonly claimed: boolean
  /** Whether a worker has given a sign of life lately, by the server's clock. */
  readonly leased: boolean
  /** Its place in the queue, 1 for the next; undefined when it is not in there. */
  readonly place?: number
}

/** The name under which a replay's captured request is stored beside its artefacts. */
export const CAPTURE = 'capture'
