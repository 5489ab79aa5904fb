import { resolveEntry } from './app-entry.ts'
import { indented, numeric, parseCommandLine, text, UsageError } from './command-line.ts'
import { startWorker } from './worker.ts'
import { completeOptions, DEFAULTS } from './worker-options.ts'

const HELP = `geordi worker <entry> [options] [-- app arguments]

Takes flagged requests from the queue, replays each once in a process of its own and draws its report.

  --queue URL            redis://, rediss://, postgres:// or postgresql://; the plugin's queue.url
                         (GEORDI_QUEUE_URL, REDIS_URL)
  --queue-name NAME      the plugin's queue.name (${DEFAULTS.queueName})
  --concurrency N        replays at a time; profiles are truest with one (${DEFAULTS.concurrency})
  --interval N           microseconds between samples (${DEFAULTS.interval})
  --no-waits             record the CPU alone: for an app that the recording of waits disturbs
  --values               show with which values the longest wait for each statement was asked: parameters, keys, queries of URLs; who sees
                         the report sees what is secret among them
  --start-timeout N      milliseconds that the app has to call listen() (${DEFAULTS.startTimeout})
  --close-timeout N      milliseconds that the app has to close after a replay (${DEFAULTS.closeTimeout})
  --limit N              milliseconds that a replay may take; it is then ended, with what was recorded (no limit)
  --report-limit N       milliseconds that the drawing of a report may take (${DEFAULTS.reportLimit})
  --heap-limit N         megabytes that the heap of the replay process may have (Node's own limit)
  --grace N              milliseconds that replays have to end after SIGTERM or SIGINT (${DEFAULTS.grace})

The secret comes from GEORDI_SECRET: the plugin's secret. While it is being rotated, GEORDI_OLD_SECRET
holds the one before, which still opens what is in the queue, and seals what becomes of it. Workers get the
new one first.
`

/** `geordi worker`: runs until it gets SIGINT or SIGTERM. */
export async function workerCommand (args: string[]): Promise<void> {
  const { positionals, values, appArgs } = parseCommandLine(args, {
    queue: { type: 'string' },
    'queue-name': { type: 'string' },
    concurrency: { type: 'string' },
    interval: { type: 'string' },
    'no-waits': { type: 'boolean' },
    values: { type: 'boolean' },
    'start-timeout': { type: 'string' },
    'close-timeout': { type: 'string' },
    limit: { type: 'string' },
    'report-limit': { type: 'string' },
    'heap-limit': { type: 'string' },
    grace: { type: 'string' },
    help: { type: 'boolean', short: 'h' }
  })
  if (values['help']) {
    process.stdout.write(HELP)
    return
  }
  const [entry, ...others] = positionals
  if (entry === undefined || others.length > 0) throw new UsageError('Name one file that starts your server; the app\'s own arguments go behind --.')

  const settings = completeOptions({
    queueUrl: text(values['queue']) ?? variable('GEORDI_QUEUE_URL') ?? variable('REDIS_URL'),
    queueName: text(values['queue-name']),
    secret: secrets(variable('GEORDI_SECRET'), variable('GEORDI_OLD_SECRET')),
    concurrency: numeric(values['concurrency']),
    interval: numeric(values['interval']),
    waits: values['no-waits'] !== true,
    values: values['values'] === true,
    startTimeout: numeric(values['start-timeout']),
    closeTimeout: numeric(values['close-timeout']),
    limit: numeric(values['limit']),
    reportLimit: numeric(values['report-limit']),
    heapLimit: numeric(values['heap-limit']),
    grace: numeric(values['grace'])
  })
  const worker = await startWorker(resolveEntry(entry, appArgs), settings, line => { process.stdout.write(`geordi worker: ${indented(line)}\n`) })

  let stopping = false
  const stop = () => {
    // Once more: the operator does not want to wait for the replay. Its process ends with this one.
    if (stopping) process.exit(1)
    stopping = true
    process.stdout.write(`geordi worker: takes no more replays, and ends when those under way have ended, which they have ${settings.grace / 1000} s for; at once at a second signal\n`)
    worker.close().then(() => process.exit(0), error => {
      process.stderr.write(`geordi: ${(error as Error).message}\n`)
      process.exit(1)
    })
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  // A rejection is told by `worker.close()`.
  worker.reached.then(() => process.stdout.write(`geordi worker ready: ${entry}\n`), () => {})
}

/** What hands variables on, such as Compose, gives those that nobody has set as empty ones. */
function variable (name: string): string | undefined {
  const value = process.env[name]
  return value === '' ? undefined : value
}

function secrets (current: string | undefined, old: string | undefined): string | string[] | undefined {
  return current === undefined || old === undefined ? current : [current, old]
}
