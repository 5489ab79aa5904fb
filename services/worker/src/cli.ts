#!/usr/bin/env node
import { profileCommand } from './profile-command.ts'
import { workerCommand } from './worker-command.ts'
import { UsageError } from './command-line.ts'

const HELP = `geordi: why is this one request slow?

  geordi worker <entry> [options] [-- app arguments]
      replays the requests that admins flag with ?__geordi__
  geordi profile <entry> [METHOD] <url> [-o report.pdf] [options]
      replays one request given here, without any queue

<entry> is the file that starts your server, unchanged, or a Fastify plugin or factory.
geordi <command> --help tells the options.
`

const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<void>>> = { worker: workerCommand, profile: profileCommand }

/** Exit codes: 0 done, 1 failed, 2 called in the wrong way. */
async function main ([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP)
    return
  }
  const command = COMMANDS[name]
  try {
    if (command === undefined) throw new UsageError(`There is no command ${name}.`)
    await command(args)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    const usage = error instanceof UsageError || code === 'GEORDI_OPTION_INVALID'
    process.stderr.write(`geordi: ${message}\n${usage ? `See: geordi ${command === undefined ? '' : `${name} `}--help\n` : ''}`)
    process.exitCode = usage ? 2 : 1
  }
}

await main(process.argv.slice(2))
