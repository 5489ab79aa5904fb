import { accessSync, constants, closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { UsageError } from './command-line.ts'

/** What a file holds, by the end of its name. The longer ends first: `.speedscope.json` is no `.json`. */
const ENDINGS = [
  ['.speedscope.json', 'speedscope'],
  ['.pb.gz', 'pprof'],
  ['.pdf', 'pdf'],
  ['.svg', 'svg'],
  ['.dot', 'dot'],
  ['.json', 'json'],
  ['.collapsed', 'collapsed'],
  ['.cpuprofile', 'cpuprofile']
] as const

export type Format = (typeof ENDINGS)[number][1]

/** One `-o`: where to, and what. */
export interface Output {
  /** A path, or `-` for standard output. */
  readonly target: string
  readonly format: Format
}

/** The part of the help that both commands have. */
export const OUTPUT_HELP = `  -o FILE               may be given several times (report.pdf); the name's end says what to write:
                          .pdf .svg              the report; the call graph as a picture
                          .dot .json             the call graph for Graphviz; for programs
                          .collapsed .pb.gz      stacks for flame graphs; for pprof
                          .speedscope.json       for https://www.speedscope.app
                          .cpuprofile            the recording itself, whole, for DevTools
  -o -                  standard output, as --format says
  --format NAME         ${ENDINGS.map(([, format]) => format).join(', ')} (pdf)
`

/** Formats that show the call graph laid out. */
export const PICTURES: readonly Format[] = ['pdf', 'svg']

/** Formats that only hurt a terminal. */
const BINARY: readonly Format[] = ['pdf', 'pprof']

/**
 * What the options `-o` and `--format` ask for, checked as far as it can be before there is anything to write.
 *
 * @throws UsageError
 */
export function readOutputs (targets: readonly string[], format: string | undefined): Output[] {
  const streams = targets.filter(target => target === '-').length
  if (streams > 1) throw new UsageError('-o - can be given once: there is one standard output.')
  if (format !== undefined && streams === 0) throw new UsageError('--format is for -o - only: a file\'s name says its format.')
  const outputs = targets.map(target => target === '-' ? { target, format: formatNamed(format ?? 'pdf') } : { target, format: formatOf(target) })
  for (const { target, format } of outputs) {
    if (target !== '-') checkFolder(target)
    else if (process.stdout.isTTY && BINARY.includes(format)) throw new UsageError(`A terminal can't show ${format}: send it to a file with > or -o FILE.`)
  }
  return outputs
}

function formatNamed (name: string): Format {
  const found = ENDINGS.find(([, format]) => format === name)
  if (found === undefined) throw new UsageError(`--format ${name} isn't known; it takes ${ENDINGS.map(([, format]) => format).join(', ')}.`)
  return found[1]
}

function formatOf (target: string): Format {
  const found = ENDINGS.find(([ending]) => target.toLowerCase().endsWith(ending))
  if (found === undefined) {
    throw new UsageError(`${target}: the name must end in ${ENDINGS.map(([ending]) => ending).join(', ')}, which says what to write.`)
  }
  return found[1]
}

function checkFolder (target: string): void {
  try {
    accessSync(dirname(target), constants.W_OK)
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('it is a folder')
  } catch (cause) {
    throw new UsageError(`${target} can't be written: ${(cause as Error).message}`)
  }
}

/** A text or bytes, or texts one after the other. */
export type Content = string | Uint8Array | Iterable<string>

/** Writes an output whole or not at all: a file appears under its name when all of it is there. */
export async function writeOutput (target: string, content: Content): Promise<void> {
  if (target === '-') await writeStandardOutput(content)
  else if (statSync(target, { throwIfNoEntry: false })?.isFile() === false) writeInto(target, 'w', content)
  else replaceFile(target, content)
}

/** Synchronously, so that a signal finds the file either not begun or done. */
function replaceFile (target: string, content: Content): void {
  const place = existing(target)
  const temporary = join(dirname(place), `.${basename(place).slice(0, 100)}.${randomUUID()}.tmp`)
  try {
    writeInto(temporary, 'wx', content)
    renameSync(temporary, place)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** A link stays one: the file that it leads to is written. */
function existing (target: string): string {
  try {
    return realpathSync(target)
  } catch {
    return target
  }
}

function writeInto (path: string, flags: string, content: Content): void {
  const file = openSync(path, flags)
  try {
    for (const chunk of chunksOf(content)) {
      for (let rest = chunk; rest.length > 0; rest = rest.subarray(writeSync(file, rest)));
    }
  } finally {
    closeSync(file)
  }
}

async function writeStandardOutput (content: Content): Promise<void> {
  // The failed write tells; the event comes after it, and would end the process by itself.
  process.stdout.on('error', () => {})
  for (const chunk of chunksOf(content)) {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(chunk, error => {
        if (error == null) resolve()
        else reject(new Error(`Standard output can't be written: ${error.message}`, { cause: error }))
      })
    })
  }
}

/** Many short texts become few writes. */
const CHUNK = 1 << 20

function * chunksOf (content: Content): Generator<Uint8Array> {
  if (content instanceof Uint8Array) yield content
  else if (typeof content === 'string') yield Buffer.from(content)
  else {
    let text = ''
    for (const part of content) {
      text += part
      if (text.length < CHUNK) continue
      yield Buffer.from(text)
      text = ''
    }
    yield Buffer.from(text)
  }
}
