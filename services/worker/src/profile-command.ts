import { access, constants, writeFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { importCpuProfile } from '@geordi/profile'
import type { CapturedRequest } from '@geordi/replay'
import { renderReport } from '@geordi/report'
import { resolveEntry } from './app-entry.ts'
import { numeric, parseCommandLine, text, UsageError, type CommandLine } from './command-line.ts'
import { composeRequest } from './compose-request.ts'
import { ReplayChild, type ReplayChildOptions, type ReplayOutcome } from './replay-child.ts'
import { DEFAULTS } from './worker-options.ts'

const HELP = `geordi profile <entry> [METHOD] <url> [options] [-- app arguments]

Starts the app in a process of its own, sends it one request under the profiler, writes the report.
<url> is a path, or a whole URL whose host the app shall see.

  -o FILE               report.pdf or profile.cpuprofile; may be given several times (report.pdf)
  -H 'Name: value'      a header; may be given several times
  -d DATA, -d @FILE     a body; the method is then POST unless given
  --interval N          microseconds between samples (${DEFAULTS.interval})
  --start-timeout N     milliseconds that the app has to call listen() (${DEFAULTS.startTimeout})
`

const METHOD = /^[A-Z][A-Z-]*$/
const WRITERS: Readonly<Record<string, (outcome: ReplayOutcome, file: string) => Promise<void>>> = Object.freeze({
  '.pdf': async ({ profile }, target) => writeFile(target, await renderReport(importCpuProfile(profile))),
  '.cpuprofile': ({ profile }, target) => writeFile(target, profile)
})

/** `geordi profile`: one request, no queue; progress goes to standard error. */
export async function profileCommand (args: string[]): Promise<void> {
  const { positionals, values, appArgs } = parseCommandLine(args, {
    output: { type: 'string', short: 'o', multiple: true },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
    interval: { type: 'string' },
    'start-timeout': { type: 'string' },
    help: { type: 'boolean', short: 'h' }
  })
  if (values['help']) {
    process.stdout.write(HELP)
    return
  }
  const [entry, method, url] = splitPositionals(positionals)
  const outputs = list(values['output'], ['report.pdf'])
  for (const output of outputs) await checkOutput(output)
  const request = await composeRequest({ method, url, headers: list(values['header']), data: text(values['data']) })

  const app = resolveEntry(entry, appArgs)
  const options = {
    app,
    interval: within('interval', numeric(values['interval']) ?? DEFAULTS.interval, 50, 1_000_000),
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
    await profile(request, options, outputs, interrupted.signal)
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  }
}

async function profile (request: CapturedRequest, options: ReplayChildOptions, outputs: readonly string[], signal: AbortSignal): Promise<void> {
  say(`starting ${options.app.file}`)
  const child = await ReplayChild.start(options, signal)
  signal.addEventListener('abort', () => child.kill())
  try {
    await child.prepare(request)
    say(`${request.method} ${request.url}`)
    const outcome = await child.replay(request)
    const { response, wallTime = 0, profiler } = outcome.run
    say(`answered ${response?.statusCode}, ${response?.bytes} bytes, in ${Math.round(wallTime / 1000)} ms (${profiler?.engine})`)
    for (const output of outputs) {
      await WRITERS[extname(output)]!(outcome, output)
      say(`wrote ${output}`)
    }
  } finally {
    await child.close()
  }
}

/** Before the request runs, because it may not be one to run twice. */
async function checkOutput (output: string): Promise<void> {
  if (!(extname(output) in WRITERS)) throw new UsageError(`${output}: the name must end in ${Object.keys(WRITERS).join(' or ')}, which says what to write.`)
  try {
    await access(dirname(output), constants.W_OK)
  } catch (cause) {
    throw new UsageError(`${output} can't be written: ${(cause as Error).message}`)
  }
}

function splitPositionals (positionals: readonly string[]): [entry: string, method: string | undefined, url: string] {
  const [entry, ...rest] = positionals
  if (entry !== undefined && rest.length === 1) return [entry, undefined, rest[0]!]
  if (entry !== undefined && rest.length === 2 && METHOD.test(rest[0]!)) return [entry, rest[0], rest[1]!]
  throw new UsageError('Give the file that starts your server, a method in capitals if it is not GET, and a URL.')
}

function list (value: CommandLine['values'][string], otherwise: string[] = []): string[] {
  return Array.isArray(value) ? value.map(String) : otherwise
}

function within (name: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new UsageError(`--${name} must be a whole number from ${least} to ${most}.`)
  return value
}

function say (line: string): void {
  process.stderr.write(`geordi: ${line}\n`)
}
