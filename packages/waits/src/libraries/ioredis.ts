import { closeWithPromise, recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'

interface Command {
  readonly name: string
  readonly args: readonly unknown[]
}

/**
 * `ioredis`: one wait a command; a pipeline's commands are open together. Its tracing channels (from 5.11) tell the same, but not of the versions before,
 * and one way is enough.
 */
export function patchIoredis (Redis: { prototype: object }): void {
  patch(Redis.prototype, 'sendCommand', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const command = args[0] as Command | undefined
    if (recorder === undefined || command === undefined) return Reflect.apply(original, this, args)
    const { options } = this as { options: { host?: string, port?: number, path?: string } }
    const record = recorder.record(true)
    const wait = recorder.open(record, {
      kind: 'cache',
      statement: command.name,
      target: options.path ?? `${options.host ?? 'localhost'}:${options.port ?? 6379}`,
      driver: 'ioredis',
      values: command.args
    })
    return closeWithPromise(recorder, record, wait, recorder.call(record, original, this, args), size)
  })
}

function size (answer: unknown): { bytes?: number, rows?: number } {
  if (typeof answer === 'string') return { bytes: answer.length }
  if (answer instanceof Uint8Array) return { bytes: answer.byteLength }
  return Array.isArray(answer) ? { rows: answer.length } : {}
}
