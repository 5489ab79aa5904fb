import { importRecording } from '@geordi/profiler'
import type { CapturedRequest } from '@geordi/replay'
import { resolveEntry } from './app-entry.ts'
import { list, numeric, parseCommandLine, say, text, UsageError } from './command-line.ts'
import { composeRequest } from './compose-request.ts'
import { GRAPH_HELP, GRAPH_OPTIONS, readGraphSettings, type GraphSettings } from './graph-options.ts'
import { OUTPUT_HELP, readOutputs, writeOutput, type Output } from './outputs.ts'
import { producer } from './produce.ts'
import { ReplayChild, type ReplayChildOptions } from './replay-child.ts'
import { DEFAULTS } from './worker-options.ts'

const HELP = `geordi profile <entry> [METHOD] <url> [options] [-- app arguments]

Starts the app in a process of its own, sends it one request under the profiler, writes the report.
<url> is a path, or a whole URL whose host the app shall see.

  -H 'Name: value'      a header; may be given several times
  -d DATA, -d @FILE     a body; the method is then POST unless given
  --interval N          microseconds between samples (${DEFAULTS.interval})
  --no-waits            record the CPU alone: for an app that the recording of waits disturbs
  --values              show with which values the longest wait for each statement was asked: parameters, keys, queries of URLs; who sees
                        the report sees what is secret among them
  --start-timeout N     milliseconds that the app has to call listen() (${DEFAULTS.startTimeout})
${OUTPUT_HELP}${GRAPH_HELP}`

const METHOD = /^[A-Z][A-Z-]*$/

/** `geordi profile`: one request, no queue; progress goes to standard error. */
export async function profileCommand (args: string[]): Promise<void> {
  const { positionals, values, appArgs } = parseCommandLine(args, {
    output: { type: 'string', short: 'o', multiple: true },
    format: { type: 'string' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
    interval: { type: 'string' },
    'no-waits': { type: 'boolean' },
    values: { type: 'boolean' },
    'start-timeout': { type: 'string' },
    ...GRAPH_OPTIONS,
    help: { type: 'boolean', short: 'h' }
  })
  if (values['help']) {
    process.stdout.write(HELP)
    return
  }
  const [entry, method, url] = splitPositionals(positionals)
  // Before the request runs, because it may not be one to run twice.
  const outputs = readOutputs(list(values['output'], ['report.pdf']), text(values['format']))
  const settings = await readGraphSettings(values)
  const request = await composeRequest({ method, url, headers: list(values['header']), data: text(values['data']) })

  const app = resolveEntry(entry, appArgs)
  const options = {
    app,
    interval: within('interval', numeric(values['interval']) ?? DEFAULTS.interval, 50, 1_000_000),
    waits: values['no-waits'] !== true,
    values: values['values'] === true,
    startTimeout: within('start-timeout', numeric(values['start-timeout']) ?? DEFAULTS.startTimeout, 1, 2 ** 31 - 1),
    closeTimeout: DEFAULTS.closeTimeout,
    output: process.stderr
  }

  // An interrupted command must leave neither the app running nor its files: it ends when they are gone.
  const interrupted = new AbortController()
  const interrupt = (code: number) => () => {
    process.exitCode = code
    interrupted.abort()
  }
  process.once('SIGINT', interrupt(130)).once('SIGTERM', interrupt(143))
  try {
    await profile(request, options, { outputs, settings }, interrupted.signal)
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  }
}

interface Wanted {
  readonly outputs: readonly Output[]
  readonly settings: GraphSettings
}

async function profile (request: CapturedRequest, options: ReplayChildOptions, wanted: Wanted, signal: AbortSignal): Promise<void> {
  say(`starting ${options.app.file}`)
  const child = await ReplayChild.start(options, signal)
  signal.addEventListener('abort', () => child.kill())
  try {
    await child.prepare(request)
    say(`${request.method} ${request.url}`)
    const outcome = await child.replay(request).catch(error => keepPartial(error, child, wanted, signal))
    const { response, wallTime = 0, profiler } = outcome.run
    say(`answered ${response?.statusCode}, ${response?.bytes} bytes, in ${Math.round(wallTime / 1000)} ms (${profiler?.engine})`)
    await write(outcome.profile, wanted, signal)
  } finally {
    await child.close()
  }
}

/** What was recorded until the app exited or broke its answer off; that it did so is the error all the same. */
async function keepPartial (error: Error, child: ReplayChild, wanted: Wanted, signal: AbortSignal): Promise<never> {
  if (child.partial !== undefined && !signal.aborted) {
    // That there is less to see than there could be is no news beside the error itself.
    await write(child.partial.profile, wanted, signal).catch((failed: Error) => say(failed.message))
  }
  throw error
}

/** The request may not be one to run twice: whatever can't be made of the recording, the recording is kept. */
async function write (raw: Uint8Array, { outputs, settings }: Wanted, signal: AbortSignal): Promise<void> {
  const produce = producer({ profile: importRecording(raw), raw, settings }, outputs)
  const failures: Error[] = []
  for (const { target, format } of outputs) {
    try {
      const content = await produce(format)
      signal.throwIfAborted()
      await writeOutput(target, content)
      if (target !== '-') say(`wrote ${target}`)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error as Error)
    }
  }
  if (failures.length === 0) return
  const file = outputs.find(({ target }) => target !== '-')?.target ?? 'geordi'
  const isKept = outputs.some(({ target, format }) => format === 'cpuprofile' && target !== '-')
  if (!isKept) {
    await writeOutput(`${file}.cpuprofile`, raw)
    say(`wrote ${file}.cpuprofile instead, for geordi render`)
  }
  throw failures.length === 1 ? failures[0] as Error : new Error(failures.map(({ message }) => message).join('\n'))
}

function splitPositionals (positionals: readonly string[]): [entry: string, method: string | undefined, url: string] {
  const [entry, ...rest] = positionals
  if (entry !== undefined && rest.length === 1) return [entry, undefined, rest[0]!]
  if (entry !== undefined && rest.length === 2 && METHOD.test(rest[0]!)) return [entry, rest[0], rest[1]!]
  throw new UsageError('Give the file that starts your server, a method in capitals if it is not GET, and a URL.')
}

function within (name: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new UsageError(`--${name} must be a whole number from ${least} to ${most}.`)
  return value
}
