import { subscribe } from 'node:diagnostics_channel'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import type { WaitStart } from '../wait-log.ts'
import { askedWith } from './asked-with.ts'

interface UndiciRequest {
  readonly method: string
  readonly path: string
  readonly origin: string | URL
  readonly headers?: unknown
}

/** What a request is waiting for: a connection that others use, or its answer. */
interface Exchange {
  readonly recorder: Recorder
  readonly record: number
  wait: number
  /** It waits behind others, and has not been sent. */
  queued: boolean
  /** It was answered with an error's status. */
  failing: boolean
}

const exchanges = new WeakMap<object, Exchange>()

/** How many connections are busy with others, while a request is made that waits for one. */
let busy = 0

/** Makes a request that waits until another one's connection is free. */
export function behindOthers<Result> (connections: number, make: () => Result): Result {
  const outer = busy
  busy = connections
  try {
    return make()
  } finally {
    busy = outer
  }
}

export function freeConnection (target: string, connections: number): WaitStart {
  return { kind: 'pool', statement: 'free connection', target, driver: 'undici', connections }
}

/** undici, which `fetch` is made of, publishes each request in its caller. */
export function patchFetch (): void {
  patch(globalThis, 'fetch', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true, 'fetch')
    return recorder.follow(record, recorder.call(record, original, this, args))
  })
  subscribe('undici:request:create', message => {
    const recorder = activeRecorder()
    if (recorder === undefined) return
    const { request } = message as { request: UndiciRequest }
    const record = recorder.inDriver ? recorder.current : recorder.record(true)
    const queued = busy > 0
    const wait = recorder.open(record, queued ? freeConnection(String(request.origin), busy) : describe(request))
    exchanges.set(request, { recorder, record, wait, queued, failing: false })
  })
  subscribe('undici:client:sendHeaders', message => {
    const { request } = message as { request: UndiciRequest }
    const exchange = exchanges.get(request)
    if (exchange?.queued !== true || !exchange.recorder.isRunning) return
    const { recorder, record, wait } = exchange
    recorder.close(wait, false)
    exchange.queued = false
    exchange.wait = recorder.open(record, describe(request))
  })
  subscribe('undici:request:headers', message => {
    const { request, response } = message as { request: UndiciRequest, response: { statusCode: number } }
    const exchange = exchanges.get(request)
    if (exchange !== undefined) exchange.failing = response.statusCode >= 400
  })
  subscribe('undici:request:trailers', message => close(message, false))
  subscribe('undici:request:error', message => close(message, true))
}

function describe ({ method, path, origin, headers }: UndiciRequest): WaitStart {
  return { kind: 'http', statement: `${method} ${withoutQuery(path)}`, target: String(origin), driver: 'undici', values: path, hidden: askedWith(headers) }
}

function close (message: unknown, failed: boolean): void {
  const exchange = exchanges.get((message as { request: UndiciRequest }).request)
  if (exchange?.recorder.isRunning) exchange.recorder.close(exchange.wait, failed || exchange.failing)
}

/** Values in a query may be secrets; its names tell which question it is. */
export function withoutQuery (path: string): string {
  const at = path.indexOf('?')
  if (at < 0) return path
  const names = new Set(new URLSearchParams(path.slice(at)).keys())
  return `${path.slice(0, at)}?${Array.from(names, name => `${encodeURIComponent(name)}=`).join('&')}`
}
