import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { importCpuProfile } from '@geordi/profile'
import { renderReport } from '@geordi/report'
import { resolveEntry } from './app-entry.ts'
import { numeric, parseCommandLine, text, UsageError, type CommandLine } from './command-line.ts'
import { composeRequest } from './compose-request.ts'
import { ReplayChild, type ReplayOutcome } from './replay-child.ts'
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
  '.pdf': async ({ file }, target) => writeFile(target, await renderReport(importCpuProfile(await readFile(file)))),
  '.cpuprofile': ({ file }, target) => copyFile(file, target)
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
  for (const output of outputs) {
    if (!(extname(output) in WRITERS)) throw new UsageError(`${output}: the name must end in ${Object.keys(WRITERS).join(' or ')}, which says what to write.`)
  }
  const request = await composeRequest({ method, url, headers: list(values['header']), data: text(values['data']) })

  say(`starting ${entry}`)
  const child = await ReplayChild.start({
    app: resolveEntry(entry, appArgs),
    interval: within('interval', numeric(values['interval']) ?? DEFAULTS.interval, 50, 1_000_000),
    startTimeout: within('start-timeout', numeric(values['start-timeout']) ?? DEFAULTS.startTimeout, 1, 2 ** 31 - 1),
    closeTimeout: DEFAULTS.closeTimeout,
    output: process.stderr
  })
  // An interrupted command must not leave the app running.
  process.once('exit', () => child.kill())
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
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
