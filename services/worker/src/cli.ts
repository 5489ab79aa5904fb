#!/usr/bin/env node
import { UsageError } from './command-line.ts'

const HELP = `geordi: why is this one request slow?

  geordi worker <entry> [options] [-- app arguments]
      replays the requests that admins flag with ?__geordi__
  geordi profile <entry> [METHOD] <url> [-o report.pdf] [options]
      replays one request given here, without any queue
  geordi render <profile.cpuprofile> [-o report.pdf] [options]
      makes the report of a CPU profile that exists already, or another kind of file

<entry> is the file that starts your server, unchanged, or a Fastify plugin or factory.
geordi <command> --help tells the options.
`

/** Each loads what it needs: rendering takes no queue, and a worker no command line. */
const COMMANDS: Readonly<Record<string, () => Promise<(args: string[]) => Promise<void>>>> = {
  worker: async () => (await import('./worker-command.ts')).workerCommand,
  profile: async () => (await import('./profile-command.ts')).profileCommand,
  render: async () => (await import('./render-command.ts')).renderCommand
}

/** Exit codes: 0 done, 1 failed, 2 called in the wrong way. */
async function main ([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP)
    return
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  try {
    if (command === undefined) throw new UsageError(`There is no command ${name}.`)
    await (await command())(args)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    const usage = error instanceof UsageError || code === 'GEORDI_OPTION_INVALID' || code === 'GEORDI_REPORT_BAD_OPTION'
    process.stderr.write(`geordi: ${message}\n${usage ? `See: geordi ${command === undefined ? '' : `${name} `}--help\n` : ''}`)
    process.exitCode = usage ? 2 : 1
  }
}

await main(process.argv.slice(2))
