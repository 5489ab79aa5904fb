import { backendFor } from '@geordi/replay'
import { WorkerError } from './errors.ts'

/** What a worker can be told. */
export interface WorkerOptions {
  /** Where the queue is; the same URL as the plugin's `queue.url`. */
  readonly queueUrl?: string | undefined
  /** The plugin's `queue.name`. @defaultValue `'geordi'` */
  readonly queueName?: string | undefined
  /** The plugin's `secret`; several for rotation. */
  readonly secret?: string | readonly string[] | undefined
  /** Replays at a time; profiles stay truer with one. @defaultValue 1 */
  readonly concurrency?: number | undefined
  /** Microseconds between samples. @defaultValue 1000 */
  readonly interval?: number | undefined
  /** Whether what a replay waits for is recorded too, and who started it: patches Node and the app's drivers in the replay process. @defaultValue true */
  readonly waits?: boolean | undefined
  /** Whether reports show what the longest wait for each statement was asked with: parameters, keys, queries of URLs, and what secrets there are among them. @defaultValue false */
  readonly values?: boolean | undefined
  /** Milliseconds that the app has to call `listen()`. @defaultValue 60000 */
  readonly startTimeout?: number | undefined
  /** Milliseconds that the app has to close after a replay. @defaultValue 10000 */
  readonly closeTimeout?: number | undefined
  /** Milliseconds that a replay may take, from the request's sending; then it is ended, with what was recorded until then. @defaultValue no limit */
  readonly limit?: number | undefined
  /** Milliseconds that the drawing of a report may take; without one, the replay's raw profile is there. @defaultValue 120000 */
  readonly reportLimit?: number | undefined
  /** The largest heap of the replay process, in megabytes. @defaultValue Node's own, by the machine's memory */
  readonly heapLimit?: number | undefined
  /**
   * Milliseconds that replays under way have to end after `close()`; then they are ended, with what was recorded until then. Less than
   * what sends a SIGKILL waits: Docker 10 s, Kubernetes 30 s.
   * @defaultValue 7000
   */
  readonly grace?: number | undefined
}

/** {@link WorkerOptions}, checked and complete. */
export interface WorkerSettings {
  readonly queueUrl: string
  readonly queueName: string
  readonly secret: string | readonly string[]
  readonly concurrency: number
  readonly interval: number
  readonly waits: boolean
  readonly values: boolean
  readonly startTimeout: number
  readonly closeTimeout: number
  readonly limit?: number
  readonly reportLimit: number
  readonly heapLimit?: number
  readonly grace: number
}

export const DEFAULTS = Object.freeze({
  queueName: 'geordi',
  concurrency: 1,
  interval: 1000,
  waits: true,
  values: false,
  startTimeout: 60_000,
  closeTimeout: 10_000,
  reportLimit: 120_000,
  grace: 7000
})

const KNOWN = new Set(['queueUrl', 'secret', 'limit', 'heapLimit', ...Object.keys(DEFAULTS)])

/** Smallest and largest value of each number. A timer of Node's holds at most 2³¹−1 ms. */
const RANGES = Object.freeze({
  concurrency: [1, 64],
  interval: [50, 1_000_000],
  startTimeout: [1, 2 ** 31 - 1],
  closeTimeout: [1, 2 ** 31 - 1],
  limit: [1, 2 ** 31 - 1],
  reportLimit: [1, 2 ** 31 - 1],
  heapLimit: [16, 1_000_000],
  grace: [0, 2 ** 31 - 1]
} as const)

/**
 * Completes and checks options.
 * @throws WorkerError `GEORDI_OPTION_INVALID`, ReplayError `GEORDI_OPTION_INVALID`
 */
export function completeOptions (options: WorkerOptions): WorkerSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { queueUrl, secret, ...settings } = { ...DEFAULTS, ...given } as WorkerSettings & WorkerOptions
  for (const name of Object.keys(given)) if (!KNOWN.has(name)) throw new WorkerError('GEORDI_OPTION_INVALID', `Option \`${name}\` is none of a worker's; there are: ${[...KNOWN].join(', ')}.`)
  for (const name of ['waits', 'values'] as const) {
    if (typeof settings[name] !== 'boolean') throw new WorkerError('GEORDI_OPTION_INVALID', `Option \`${name}\` must be true or false.`)
  }
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = settings[name as keyof typeof RANGES]
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new WorkerError('GEORDI_OPTION_INVALID', `Option \`${name}\` must be a whole number from ${least} to ${most}.`)
    }
  }
  if (queueUrl === undefined) throw new WorkerError('GEORDI_OPTION_INVALID', 'The queue\'s URL is missing: give --queue or set GEORDI_QUEUE_URL (or REDIS_URL).')
  if (secret === undefined) throw new WorkerError('GEORDI_OPTION_INVALID', 'The secret is missing: set GEORDI_SECRET to the plugin\'s `secret`.')
  backendFor({ url: queueUrl, name: settings.queueName })
  return Object.freeze({ ...settings, queueUrl, secret })
}
