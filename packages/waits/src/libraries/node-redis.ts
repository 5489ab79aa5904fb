import { recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { patch } from '../patch.ts'
import type { WaitStart } from '../wait-log.ts'

interface Client {
  readonly options?: { readonly url?: string, readonly socket?: { readonly host?: string, readonly port?: number, readonly path?: string } }
}

/** `redis` (node-redis, from 4): one wait a command, and one for a `multi` as a whole. */
export function patchNodeRedis (RedisClient: { prototype: object }): void {
  patchMethod(RedisClient, 'sendCommand', args => {
    const [name, ...values] = args[0] as unknown[]
    return { statement: String(name).toLowerCase(), values }
  })
  for (const name of ['_executeMulti', '_executePipeline']) {
    patchMethod(RedisClient, name, args => ({ statement: `multi of ${(args[0] as unknown[]).length}` }))
  }
}

function patchMethod (RedisClient: { prototype: object }, name: string, describe: (args: unknown[]) => { statement: string, values?: unknown }): void {
  patch(RedisClient.prototype, name, original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined || !Array.isArray(args[0])) return Reflect.apply(original, this, args)
    const start: WaitStart = { kind: 'cache', target: targetOf(this as Client), driver: '@redis/client', ...describe(args) }
    return waitForPromise(recorder, start, original, this, args)
  })
}

/** A URL has been taken apart by the client, and is left in `socket`; it may hold the password. */
function targetOf ({ options }: Client): string {
  const { path, host = 'localhost', port = 6379 } = options?.socket ?? {}
  return path ?? `${host}:${port}`
}
