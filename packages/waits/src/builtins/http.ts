import { subscribe } from 'node:diagnostics_channel'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { readStamp, writeStamp } from '../stamp.ts'

/** HTTP clients: `node:http`, `node:https`, `fetch` and undici. */
export function patchHttp (): void {
  for (const target of [http, https]) for (const name of ['request', 'get']) patchRequest(target, name)
  // Tells the response without a listener for it, whose presence would keep an unread body from being dropped.
  subscribe('http.client.response.finish', message => {
    const { request, response } = message as { request: ClientRequest, response: IncomingMessage }
    const stamp = readStamp(request)
    const recorder = activeRecorder()
    if (stamp === 0 || recorder === undefined) return
    const failed = (response.statusCode ?? 0) >= 400
    const bytes = contentLength(response.headers['content-length'])
    response.prependOnceListener('close', () => recorder.close(stamp - 1, failed, undefined, bytes))
  })
  patchFetch()
}

function patchRequest (target: object, name: string): void {
  patch(target, name, original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const at = args.length - 1
    const callback = args[at]
    const handed = typeof callback === 'function' ? args.with(at, inOuter(recorder, record, callback)) : args
    const request = recorder.call(record, original, this, handed) as ClientRequest
    const { method, protocol, path } = request
    const wait = recorder.open(record, {
      kind: 'http', statement: `${method} ${withoutQuery(path)}`, target: `${protocol}//${request.getHeader('host') ?? request.host}`, driver: 'node:http', values: path
    })
    writeStamp(request, wait + 1)
    // After an error too; where there is a response its end is what counts, and comes first.
    request.prependOnceListener('close', () => { if (request.errored) recorder.close(wait, true) })
    return request
  })
}

function inOuter (recorder: Recorder, driver: number, callback: Function) {
  const record = recorder.besides(driver)
  return function (this: unknown, ...args: unknown[]): unknown {
    return recorder.enter(record, callback, this, args)
  }
}

/** undici, which `fetch` is made of, publishes each request in its caller. */
function patchFetch (): void {
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
    const wait = recorder.open(record, {
      kind: 'http', statement: `${request.method} ${withoutQuery(request.path)}`, target: String(request.origin), driver: 'undici', values: request.path
    })
    writeStamp(request, wait + 1)
  })
  subscribe('undici:request:headers', message => {
    const { request, response } = message as { request: UndiciRequest, response: { statusCode: number } }
    if (response.statusCode >= 400) failing.add(request)
  })
  subscribe('undici:request:trailers', message => closeUndici(message, false))
  subscribe('undici:request:error', message => closeUndici(message, true))
}

interface UndiciRequest {
  readonly method: string
  readonly path: string
  readonly origin: string | URL
}

/** Requests that were answered with an error's status. */
const failing = new WeakSet<object>()

function closeUndici (message: unknown, failed: boolean): void {
  const { request } = message as { request: UndiciRequest }
  const stamp = readStamp(request)
  if (stamp > 0) activeRecorder()?.close(stamp - 1, failed || failing.has(request))
}

/** Values in a query may be secrets; its names tell which question it is. */
function withoutQuery (path: string): string {
  const at = path.indexOf('?')
  if (at < 0) return path
  const names = new Set(new URLSearchParams(path.slice(at)).keys())
  return `${path.slice(0, at)}?${Array.from(names, name => `${encodeURIComponent(name)}=`).join('&')}`
}

function contentLength (value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}
