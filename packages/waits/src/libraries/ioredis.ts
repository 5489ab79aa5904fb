import type { Asked } from '../live/connections.ts'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'
import type { Recorder } from '../recorder.ts'
import type { WaitStart } from '../wait-log.ts'

interface Command {
  readonly name: string
  readonly args: readonly unknown[]
  /** Settle its promise. */
  resolve (answer: unknown): unknown
  reject (error: unknown): unknown
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

/** What was asked before there is a connection, or when it is lost, is sent again when there is one, and still the same wait. */
const waits = new WeakMap<Command, { readonly recorder: Recorder, readonly wait: number }>()

/**
 * `ioredis`: one wait a command; a pipeline's commands are open together. Its tracing channels (from 5.11) tell the same, but not of the versions before,
 * and one way is enough.
 */
export function patchIoredis (Redis: { prototype: object }): void {
  patch(Redis.prototype, 'sendCommand', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const command = args[0] as Command | undefined
    if (recorder === undefined || command === undefined || isOpen(recorder, command)) return Reflect.apply(original, this, args)
    if (recorder.passes(command.name, this as Connection, oldestCommand)) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const wait = recorder.open(record, describe(this as Connection, command))
    waits.set(command, { recorder, wait })
    recorder.noted(command)
    closeWithCommand(recorder, wait, command)
    return recorder.call(record, original, this, args)
  })
}

function isOpen (recorder: Recorder, command: Command): boolean {
  const before = waits.get(command)
  return before?.recorder === recorder && recorder.isOpen(before.wait)
}

/**
 * A promise in place of its own would be rejected beside it, which ends the process: pipelines, clusters and who gives a callback look at the command's own
 * alone.
 */
function closeWithCommand (recorder: Recorder, wait: number, command: Command): void {
  const { resolve, reject } = command
  command.resolve = function (answer) {
    const { rows, bytes } = size(command, answer)
    recorder.close(wait, false, rows, bytes)
    return Reflect.apply(resolve, this, [answer]) as unknown
  }
  command.reject = function (error) {
    recorder.close(wait, true)
    return Reflect.apply(reject, this, [error]) as unknown
  }
}

function describe ({ options }: Connection, { name, args }: Command): WaitStart {
  return { kind: 'cache', statement: name, target: options.path ?? `${options.host ?? 'localhost'}:${options.port ?? 6379}`, driver: 'ioredis', values: args }
}

function oldestCommand (connection: Connection): Asked | undefined {
  const command = (connection.commandQueue?.peekFront() ?? connection.offlineQueue?.peekFront())?.command
  return command && { operation: command, describe: () => describe(connection, command) }
}

/** @param answer As Redis gives it. A hash's names and values are no rows: who has asked gets one object. */
function size ({ name }: Command, answer: unknown): { bytes?: number, rows?: number } {
  if (typeof answer === 'string') return { bytes: answer.length }
  if (answer instanceof Uint8Array) return { bytes: answer.byteLength }
  return Array.isArray(answer) && name !== 'hgetall' ? { rows: answer.length } : {}
}
