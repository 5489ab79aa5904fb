import { behindOthers, freeConnection } from '../builtins/undici.ts'
import { patch } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'

interface Options {
  readonly origin?: string | URL
}

/** Whom undici calls back. */
type Handler = Record<string, unknown>

interface Client {
  /** So many requests it sends before the first is answered. */
  readonly pipelining: number
}

interface Kept {
  readonly recorder: Recorder
  readonly record: number
  readonly wait: number
}

/**
 * What a pool keeps until one of its connections is free, by the handler, which it hands on as it is: many requests may have the same options. Some may have
 * the same handler, too, and have their turn in order.
 */
const kept = new WeakMap<Handler, Kept[]>()

/** `undici`'s pools, an agent's too: a request that finds all connections busy is none, and not published, before one is free. */
export function patchUndiciPool ({ PoolBase }: { readonly PoolBase: { readonly prototype: object } }): void {
  const read = readerOfSymbols()
  patch(PoolBase.prototype, symbolOf(PoolBase.prototype, 'dispatch'), original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const pool = this as object
    const queued = read(pool, 'queued')
    const result: unknown = Reflect.apply(original, pool, args)
    if (read(pool, 'queued') !== queued) keep(recorder, pool, read, args[0] as Options, args[1] as Handler)
    return result
  })
}

/** Its clients, of one connection each. */
export function patchUndiciClient (Client: { readonly prototype: object }): void {
  const read = readerOfSymbols()
  patch(Client.prototype, symbolOf(Client.prototype, 'dispatch'), original => function (...args: unknown[]) {
    const recorder = activeRecorder()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const handler = args[1] as Handler
    const before = kept.get(handler)?.shift()
    if (before?.recorder === recorder) {
      recorder.close(before.wait, false)
      return recorder.call(before.record, original, this, args)
    }
    const client = this as Client
    if (read(client, 'size') as number < client.pipelining) return Reflect.apply(original, client, args)
    return behindOthers(1, () => Reflect.apply(original, client, args) as unknown)
  })
}

function keep (recorder: Recorder, pool: object, read: Read, options: Options, handler: Handler): void {
  const origin = options.origin ?? (read(pool, 'url') as URL).origin
  const { length } = read(pool, 'clients') as readonly unknown[]
  const record = recorder.inDriver ? recorder.current : recorder.record(true)
  const wait = recorder.open(record, freeConnection(String(origin), length))
  let queue = kept.get(handler)
  if (queue === undefined) {
    kept.set(handler, queue = [])
    hearErrors(handler, queue)
  }
  queue.push({ recorder, record, wait })
}

/** A pool that is destroyed tells so whom it keeps; from version 8 on it also tells who has given up. Before, they are kept until their turn. */
function hearErrors (handler: Handler, queue: Kept[]): void {
  for (const name of ['onError', 'onResponseError']) {
    const told = handler[name]
    if (typeof told !== 'function') continue
    // It is the app's own, and may be frozen: then its turn ends the wait.
    Reflect.set(handler, name, function (this: unknown, ...args: unknown[]) {
      const first = queue.shift()
      first?.recorder.close(first.wait, true)
      return Reflect.apply(told, this, args) as unknown
    })
  }
}

type Read = (object: object, description: string) => unknown

/** One copy of undici keeps what it knows under symbols of its own, whose descriptions have been the same since version 5. */
function readerOfSymbols (): Read {
  const known = new Map<string, symbol>()
  return (object, description) => {
    let symbol = known.get(description)
    if (symbol === undefined) known.set(description, symbol = symbolOf(object, description))
    return Reflect.get(object, symbol)
  }
}

function symbolOf (object: object, description: string): symbol {
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const symbol = Object.getOwnPropertySymbols(holder).find(symbol => symbol.description === description)
    if (symbol !== undefined) return symbol
  }
  return Symbol(description)
}
