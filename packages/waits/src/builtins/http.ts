import { subscribe } from 'node:diagnostics_channel'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch } from '../patch.ts'
import { readStamp, writeStamp } from '../stamp.ts'
import { askedWith } from './asked-with.ts'
import { patchEvents, type Maker } from './events.ts'
import { patchHttp2 } from './http2.ts'
import { patchFetch, withoutQuery } from './undici.ts'

const makers = new WeakMap<ClientRequest | IncomingMessage, Maker>()

/** HTTP clients: `node:http`, `node:https`, `node:http2`, `fetch` and undici. */
export function patchHttp (): void {
  for (const target of [http, https]) for (const name of ['request', 'get']) patchRequest(target, name)
  patchEvents(http.ClientRequest.prototype, makers)
  // Tells the response without a listener for it, whose presence would keep an unread body from being dropped.
  subscribe('http.client.response.finish', message => {
    const { request, response } = message as { request: ClientRequest, response: IncomingMessage }
    const stamp = readStamp(request)
    const maker = makers.get(request)
    // One of a recording that is over is none of the next one's.
    if (stamp === 0 || maker?.recorder.isRunning !== true) return
    const { recorder } = maker
    // Its end is what counts from now on.
    writeStamp(request, 0)
    makers.set(response, maker)
    patchEvents(response, makers)
    const failed = (response.statusCode ?? 0) >= 400
    const bytes = contentLength(response.headers['content-length'])
    response.prependOnceListener('close', () => recorder.close(stamp - 1, failed, undefined, bytes))
  })
  patchHttp2()
  patchFetch()
}

function patchRequest (target: object, name: string): void {
  patch(target, name, original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const request = recorder.call(record, original, this, args) as ClientRequest
    makers.set(request, { recorder, record })
    const { method, protocol, path } = request
    const wait = recorder.open(record, {
      kind: 'http',
      statement: `${method} ${withoutQuery(path)}`,
      target: `${protocol}//${request.getHeader('host') ?? request.host}`,
      driver: 'node:http',
      values: path,
      hidden: askedWith(request.getHeaders())
    })
    writeStamp(request, wait + 1)
    // After an error, when it was given up, and when the connection has become another protocol's, which is the only answer that is not told above.
    request.prependOnceListener('close', () => {
      if (readStamp(request) > 0) recorder.close(wait, (request as unknown as { res: IncomingMessage | null }).res === null)
    })
    return request
  })
}

function contentLength (value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}
