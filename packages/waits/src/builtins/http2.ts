import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch, patchClassOf } from '../patch.ts'
import { askedWith } from './asked-with.ts'
import { patchEvents, type Maker } from './events.ts'
import { withoutQuery } from './undici.ts'

const makers = new WeakMap<object, Maker>()

/** Clients of HTTP/2, of gRPC as well. The class of their sessions isn't exported; the first one shows it. */
export function patchHttp2 (): void {
  patch(http2, 'connect', original => function (...args: unknown[]) {
    const session = Reflect.apply(original, this, args) as ClientHttp2Session
    patchClassOf(session, patchSession)
    return session
  })
}

function patchSession (prototype: object): void {
  patch(prototype, 'request', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const record = recorder.record(true)
    const stream = recorder.call(record, original, this, args) as ClientHttp2Stream
    const { ':method': method = 'GET', ':path': path = '/', ':scheme': scheme = '', ':authority': host = '', ...headers } = stream.sentHeaders
    const wait = recorder.open(record, {
      kind: 'http', statement: `${String(method)} ${withoutQuery(String(path))}`, target: `${String(scheme)}://${String(host)}`, driver: 'node:http2', values: path, hidden: askedWith(headers)
    })
    makers.set(stream, { recorder, record })
    patchEvents(stream, makers)
    // After the last of the answer, and when it was given up.
    stream.prependOnceListener('close', () => recorder.close(wait, stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR))
    return stream
  })
}
