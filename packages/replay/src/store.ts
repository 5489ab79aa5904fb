/**
 * The result store: keeps what is known of each replay until it expires. It holds sealed bytes and
 * nothing that tells what they are about; Redis and PostgreSQL implement it, one conformance suite
 * (test/conformance.ts) runs on both.
 *
 * Every method rejects with ReplayError `GEORDI_QUEUE_UNAVAILABLE` when the server is away.
 */
export interface ResultStore {
  /** Writes a new replay with its captured request, to expire after `ttl` seconds. */
  create (id: string, record: Uint8Array, capture: Uint8Array, ttl: number): Promise<void>
  /** What is known of a replay; null when it never was or has expired. */
  read (id: string): Promise<StoredReplay | null>
  /** Replaces the record. False when the replay is not there (any more). */
  write (id: string, record: Uint8Array): Promise<boolean>
  /**
   * True for the first caller ever, false for each later one: what makes a replay run at most once. The captured request
   * goes with it, so that there is nothing left to run.
   */
  claim (id: string): Promise<boolean>
  /** A worker's sign of life: {@link StoredReplay.leased} is true for the next `duration` milliseconds. */
  lease (id: string, duration: number): Promise<void>
  /** Stores an artefact's bytes in place of those before; nothing where the replay is not there (any more). */
  put (id: string, artefact: string, bytes: Uint8Array): Promise<void>
  /** An artefact's bytes, or the captured request's under {@link CAPTURE}; null when they are not there (any more). */
  get (id: string, artefact: string): Promise<Buffer | null>
  /** Removes everything of the replay. */
  remove (id: string): Promise<void>
}

/** What the store holds of a replay beside its artefacts. */
export interface StoredReplay {
  /** Sealed. */
  readonly record: Buffer
  /** Whether {@link ResultStore.claim} was called for it. */
  readonly claimed: boolean
  /** Whether a worker has given a sign of life lately, by the server's clock. */
  readonly leased: boolean
}

/** The name under which a replay's captured request is stored beside its artefacts. */
export const CAPTURE = 'capture'
