import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { basename } from 'node:path'
import type { Profile } from '@geordi/profile'
import { importRecording } from '@geordi/profiler'
import { list, parseCommandLine, say, text, UsageError } from './command-line.ts'
import { GRAPH_HELP, GRAPH_OPTIONS, readGraphSettings } from './graph-options.ts'
import { OUTPUT_HELP, PICTURES, readOutputs, writeOutput } from './outputs.ts'
import { producer } from './produce.ts'

const HELP = `geordi render <profile> [options]

Makes a report, or another kind of file, from a CPU profile: a .cpuprofile of node --cpu-prof, node:inspector, DevTools or
v8-profiler-next, or geordi's own with the waits in it. <profile> is a file, or - for standard input.

${OUTPUT_HELP}${GRAPH_HELP}`

/** `geordi render`: a profile in, files out. */
export async function renderCommand (args: string[]): Promise<void> {
  const { positionals, values } = parseCommandLine(args, {
    output: { type: 'string', short: 'o', multiple: true },
    format: { type: 'string' },
    ...GRAPH_OPTIONS,
    help: { type: 'boolean', short: 'h' }
  })
  if (values['help']) {
    process.stdout.write(HELP)
    return
  }
  const [source, ...others] = positionals
  if (source === undefined || others.length > 0) throw new UsageError('Give one profile: a file, or - for standard input.')
  const outputs = readOutputs(list(values['output'], ['report.pdf']), text(values['format']))
  const settings = await readGraphSettings(values)

  if (outputs.some(({ format }) => PICTURES.includes(format))) (await import('@geordi/report')).startLayoutThread()
  const { profile, bytes } = await readProfile(source)
  // Waits are only in the recording as it was written.
  const raw = profile.waits === undefined ? {} : { raw: bytes }
  const produce = producer({ profile, settings, ...raw }, outputs)
  for (const { target, format } of outputs) {
    await writeOutput(target, await produce(format))
    if (target !== '-') say(`wrote ${target}`)
  }
}

async function readProfile (source: string): Promise<{ profile: Profile, bytes: Uint8Array }> {
  const bytes = source === '-' ? await buffer(process.stdin) : await readFile(source).catch(cantRead(source))
  const profile = importRecording(bytes)
  const { run } = profile
  if (run.request !== undefined || run.title !== undefined) return { profile, bytes }
  return { profile: { ...profile, run: { ...run, title: source === '-' ? 'CPU profile' : basename(source) } }, bytes }
}

function cantRead (source: string): (cause: Error) => never {
  return cause => { throw new Error(`${source} can't be read: ${cause.message}`, { cause }) }
}
