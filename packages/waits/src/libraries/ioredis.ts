import type { Asked } from '../live/connections.ts'
import { closeWithPromise, recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'
import type { WaitStart } from '../wait-log.ts'

interface Command {
  readonly name: string
  readonly args: readonly unknown[]
  /** Who asked by a callback looks at no promise. */
  readonly callback?: unknown
}

interface Connection {
  readonly options: { readonly host?: string, readonly port?: number, readonly path?: string }
  readonly commandQueue?: Queue
  readonly offlineQueue?: Queue
}

/** Of commands that were sent and not answered yet, or not sent. */
interface Queue {
  peekFront (): { readonly command: Command } | undefined
}

/** Commands that were seen: what was asked before there is a connection, or when it is lost, comes again when there is one. */
const seen = new WeakSet<Command>()

/**
 * `ioredis`: one wait a command; a pipeline's commands are open together. Its tracing channels (from 5.11) tell the same, but not of the versions before,
 * and one way is enough.
 */
export function patchIoredis (Redis: { prototype: object }): void {
  patch(Redis.prototype, 'sendCommand', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const command = args[0] as Command | undefined
    if (recorder === undefined || command === undefined || seen.has(command)) return Reflect.apply(original, this, args)
    seen.add(command)
    if (recorder.passes(command.name, this as Connection, oldestCommand)) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const wait = recorder.open(record, describe(this as Connection, command))
    recorder.noted(command)
    const answer = recorder.call(record, original, this, args)
    const followed = closeWithPromise(recorder, record, wait, answer, size)
    if (typeof command.callback !== 'function') return followed
    // The callback is told of an error; a promise of ours that nobody has would end the process for it.
    recorder.follow(record, followed, () => {}, () => {})
    return answer
  })
}

function describe ({ options }: Connection, { name, args }: Command): WaitStart {
  return { kind: 'cache', statement: name, target: options.path ?? `${options.host ?? 'localhost'}:${options.port ?? 6379}`, driver: 'ioredis', values: args }
}

function oldestCommand (connection: Connection): Asked | undefined {
  const command = (connection.commandQueue?.peekFront() ?? connection.offlineQueue?.peekFront())?.command
  return command && { operation: command, describe: () => describe(connection, command) }
}

function size (answer: unknown): { bytes?: number, rows?: number } {
  if (typeof answer === 'string') return { bytes: answer.length }
  if (answer instanceof Uint8Array) return { bytes: answer.byteLength }
  return Array.isArray(answer) ? { rows: answer.length } : {}
}
