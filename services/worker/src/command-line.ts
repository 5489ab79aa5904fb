import { parseArgs, type ParseArgsConfig } from 'node:util'
import { printable } from '@geordi/replay'

/** The command line is not as the command wants it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface CommandLine {
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | ReadonlyArray<string | boolean> | undefined>>
  /** What stands behind `--`: the app's own arguments. */
  readonly appArgs: readonly string[]
}

/** Splits a command's arguments. @throws UsageError for an unknown option or a missing value. */
export function parseCommandLine (args: readonly string[], options: NonNullable<ParseArgsConfig['options']>): CommandLine {
  const end = args.indexOf('--')
  const own = end === -1 ? args : args.slice(0, end)
  try {
    const { positionals, values } = parseArgs({ args: [...own], options, allowPositionals: true })
    return { positionals, values, appArgs: end === -1 ? [] : args.slice(end + 1) }
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** An option's value as a number; what is none becomes NaN, which the option's own check refuses by name. */
export function numeric (value: CommandLine['values'][string]): number | undefined {
  if (value === undefined) return undefined
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN
}

/** An option's value as text. */
export function text (value: CommandLine['values'][string]): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The values of an option that may be given several times. */
export function list (value: CommandLine['values'][string], otherwise: string[] = []): string[] {
  return Array.isArray(value) ? value.map(String) : otherwise
}

/** As one entry of a log: what strangers have a part in, a path or an app's error, looks like no entry of its own. */
export function indented (entry: string): string {
  return entry.split(/\r?\n/).map(printable).join('\n  ')
}

/** Tells the user something; standard output is for what was asked for. */
export function say (line: string): void {
  process.stderr.write(`geordi: ${line}\n`)
}
