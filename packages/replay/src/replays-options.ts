import { DEFAULT_TIMEOUT } from './backend.ts'
import { ReplayError } from './errors.ts'

/** How long and how many replays are kept and wait: the web process's to say, a worker takes what is queued as it is. */
export interface ReplayLimits {
  /** Seconds until a replay and its artefacts are gone. @defaultValue 86400, a day */
  readonly retention?: number
  /** How many replays are kept; of those that have ended, the oldest go first, within a minute. @defaultValue 1000 */
  readonly retentionCount?: number
  /** Bytes that all replays may hold on the queue server; of those that have ended, the oldest go first, within a minute. @defaultValue 536870912 (512 MiB) */
  readonly retentionBytes?: number
  /**
   * Seconds that a request may wait for a worker. It is sealed with the request; one that is taken later is not run any
   * more, and its page says so, because work that is done hours later takes everybody by surprise. It holds as exactly as
   * the clocks of web process and worker agree.
   * @defaultValue 3600, an hour
   */
  readonly maxQueueTime?: number
  /**
   * How many replays of one admin (by the request's `by`; all who have none are one) may be queued or under way, over all
   * web processes; ReplayError `GEORDI_TOO_MANY_OPEN` over it.
   * @defaultValue 20
   */
  readonly maxOpenPerAdmin?: number
  /** How many replays may wait in the queue; ReplayError `GEORDI_QUEUE_FULL` over it. @defaultValue 500 */
  readonly maxQueued?: number
}

/** How to open `Replays`. */
export interface ReplaysOptions extends ReplayLimits {
  /** Where the queue is: `redis://…`, `rediss://…`, `postgres://…` or `postgresql://…` */
  readonly url: string
  /** At least 32 characters, the same for web process and worker; several for rotation, the first one seals. */
  readonly secret: string | readonly string[]
  /** Web processes fail fast, workers wait for the server to come back. */
  readonly role: 'web' | 'worker'
  /** Keeps several apps on one server apart. @defaultValue `'geordi'` */
  readonly name?: string
  /** Milliseconds that a web process waits for an answer of the server's before it takes it to be away. @defaultValue 800: somebody who waits is told within a second */
  readonly timeout?: number
}

/** 68 years in seconds: what every server still takes. */
const LONGEST = 2 ** 31 - 1

const NUMBERS = Object.freeze({
  retention: { value: 24 * 3600, unit: ' of seconds', most: LONGEST },
  retentionCount: { value: 1000, unit: '', most: LONGEST },
  retentionBytes: { value: 512 * 1024 * 1024, unit: ' of bytes', most: Number.MAX_SAFE_INTEGER },
  maxQueueTime: { value: 3600, unit: ' of seconds', most: LONGEST },
  maxOpenPerAdmin: { value: 20, unit: '', most: LONGEST },
  maxQueued: { value: 500, unit: '', most: LONGEST }
})

/** {@link ReplaysOptions}, checked and complete. */
export type ReplaysSettings = { readonly name: string } & Required<Omit<ReplaysOptions, 'name'>>

/** What a limit or a time is where the option is not given. */
export const DEFAULT_LIMITS: Readonly<Record<keyof typeof NUMBERS, number>> = Object.freeze(
  Object.fromEntries(Object.entries(NUMBERS).map(([name, { value }]) => [name, value])) as Record<keyof typeof NUMBERS, number>)

/** @throws ReplayError `GEORDI_OPTION_INVALID`. `secret`, `url` and `name` are checked where they are used. */
export function completeOptions (options: ReplaysOptions): ReplaysSettings {
  const settings = { name: 'geordi', timeout: DEFAULT_TIMEOUT, ...DEFAULT_LIMITS, ...options }
  for (const [name, { unit, most }] of Object.entries(NUMBERS)) checkWhole(name, settings[name as keyof typeof NUMBERS], unit, most)
  checkWhole('queue.timeout', settings.timeout, ' of milliseconds', LONGEST)
  return Object.freeze(settings)
}

function checkWhole (name: string, value: number, unit: string, most: number): void {
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return
  throw new ReplayError('GEORDI_OPTION_INVALID', `Option \`${name}\` must be a whole number${unit} from 1 to ${most}.`)
}
