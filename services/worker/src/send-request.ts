import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect as connectSocket, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { Run } from '@geordi/profile'
import type { CapturedRequest } from '@geordi/replay'
import type { WireProtocol } from './child/messages.ts'

export interface Destination {
  readonly socketPath: string
  readonly protocol: WireProtocol
  /** Gives up waiting for the answer. */
  readonly signal: AbortSignal
}

type Answer = NonNullable<Run['response']>

/**
 * Sends a captured request over a unix socket, with its headers in their order and case and its body byte
 * for byte, and reads the answer to its end without keeping it. There is no time limit.
 *
 * It runs in the worker, not in the replay process, so that none of it is in the profile.
 */
export async function sendRequest (request: CapturedRequest, destination: Destination): Promise<Answer> {
  return request.httpVersion.startsWith('2') && destination.protocol.startsWith('h2')
    ? sendHttp2(request, destination)
    : sendHttp1(request, destination)
}

/**
 * Node's own client would add headers to those captured (`Connection`, a framing for a bodiless POST) and
 * refuse some that its server takes. So the request is written to the socket as it was read, and the
 * client only reads the answer.
 */
async function sendHttp1 (request: CapturedRequest, { socketPath, protocol, signal }: Destination): Promise<Answer> {
  const socket = protocol === 'https' || protocol === 'h2'
    // The app's own certificate is for its public name, not for a socket in a folder.
    ? connectTls({ path: socketPath, rejectUnauthorized: false })
    : connectSocket(socketPath)
  readOnAfterFailedWrite(socket)
  try {
    return await new Promise<Answer>((resolve, reject) => {
      let broken: Error | undefined
      const reader = requestHttp({ method: request.method, signal, createConnection: () => answerOf(socket, error => { broken = error }) })
      const fail = (error: Error) => reject(broken ?? error)
      reader.on('error', fail)
      reader.on('response', response => { drain(response).then(resolve, fail) })
      reader.on('upgrade', response => resolve(answer(response.statusCode!, 0, undefined)))
      reader.end()
      // At once: an app that answers and closes as soon as it has the head must not meet a second write, whose failure
      // would take the answer with it.
      socket.cork()
      socket.write(requestHead(request))
      socket.write(requestBody(request))
      socket.uncork()
    })
  } finally {
    socket.destroy()
  }
}

/**
 * An app that refuses a body answers and closes while it is still sent. Node would destroy the socket at the failed write,
 * with the answer unread in it: a socket's option `autoDestroy` can't be turned off, and a stream with an error never ends. So
 * both are taken back in its state; where a Node.js has another one, such an answer is lost as before.
 */
function readOnAfterFailedWrite (socket: Socket): void {
  const readable: object = Reflect.get(socket, '_readableState')
  for (const state of [readable, Reflect.get(socket, '_writableState') as object]) Reflect.set(state, 'autoDestroy', false)
  socket.on('error', () => { Reflect.set(readable, 'errored', null) })
}

/**
 * What the socket receives, apart from what is sent on it: an app that answers before it has read the body, and
 * closes, breaks the sending off, but its answer counts.
 */
function answerOf (socket: Socket, onBroken: (error: Error) => void): Duplex {
  const received = new Duplex({
    read: () => { socket.resume() },
    write: (_chunk, _encoding, done) => done()
  })
  socket.on('data', chunk => { if (!received.push(chunk)) socket.pause() })
  socket.on('error', onBroken)
  // After an end or an error alike: whether the answer was complete is seen in the answer.
  for (const over of ['end', 'close']) socket.on(over, () => received.push(null))
  return received
}

/** Node reads a request's head as Latin-1, so that is what gives the same bytes again. */
function requestHead (request: CapturedRequest): Buffer {
  const { method, url, httpVersion, rawHeaders } = request
  let head = `${method} ${url} HTTP/${httpVersion === '1.0' ? '1.0' : '1.1'}\r\n`
  for (const [name, value] of pairs(rawHeaders)) {
    // An app that speaks HTTP/2 in production alone gets the same request in the words of HTTP/1.1.
    if (name === ':authority') head += `host: ${value}\r\n`
    else if (!name.startsWith(':')) head += `${name}: ${value}\r\n`
  }
  if (isUnframed(request)) head += 'transfer-encoding: chunked\r\n'
  return Buffer.from(`${head}\r\n`, 'latin1')
}

function * pairs (rawHeaders: readonly string[]): Generator<[name: string, value: string]> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) yield [rawHeaders[index]!, rawHeaders[index + 1]!]
}

/** HTTP/2 frames a body by itself; in HTTP/1.1 one without a length would be the next request. */
function isUnframed ({ httpVersion, rawHeaders, body, rawTrailers = [] }: CapturedRequest): boolean {
  return httpVersion.startsWith('2') && body.length + rawTrailers.length > 0 && !has(rawHeaders, /^content-length$/i)
}

function has (rawHeaders: readonly string[], wanted: RegExp): boolean {
  return rawHeaders.some((name, index) => index % 2 === 0 && wanted.test(name))
}

/** A chunked body comes as one chunk: its bytes are the body, where it was cut is the network's chance. */
function requestBody (request: CapturedRequest): Uint8Array {
  const { rawHeaders, body, rawTrailers = [] } = request
  if (!isUnframed(request) && !has(rawHeaders, /^transfer-encoding$/i)) return body
  const chunk = body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]
  const trailers = Array.from(pairs(rawTrailers), ([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([...chunk, Buffer.from(`0\r\n${trailers.join('')}\r\n`, 'latin1')])
}

async function drain (response: IncomingMessage): Promise<Answer> {
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  return answer(response.statusCode!, bytes, response.headers['content-type'])
}

async function sendHttp2 (request: CapturedRequest, { socketPath, protocol, signal }: Destination): Promise<Answer> {
  const session = connectHttp2('http://localhost', {
    createConnection: () => protocol === 'h2'
      ? connectTls({ path: socketPath, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connectSocket(socketPath)
  })
  try {
    return await exchange(session, request, signal)
  } finally {
    session.destroy()
  }
}

async function exchange (session: ClientHttp2Session, { rawHeaders, body, rawTrailers = [] }: CapturedRequest, signal: AbortSignal): Promise<Answer> {
  const waitForTrailers = rawTrailers.length > 0
  return new Promise((resolve, reject) => {
    session.on('error', reject)
    // Node's default would leave the body of a DELETE out.
    const stream = session.request(headersObject(rawHeaders), { signal, waitForTrailers, endStream: body.length === 0 && !waitForTrailers })
    let status = 0
    let contentType: string | undefined
    let bytes = 0
    stream.on('response', headers => {
      status = Number(headers[constants.HTTP2_HEADER_STATUS])
      contentType = headers['content-type']?.toString()
    })
    stream.on('data', (chunk: Buffer) => { bytes += chunk.length })
    stream.on('end', () => resolve(answer(status, bytes, contentType)))
    stream.on('error', reject)
    stream.on('close', () => reject(new Error('the stream was closed')))
    stream.on('wantTrailers', () => stream.sendTrailers(headersObject(rawTrailers)))
    if (body.length > 0 || waitForTrailers) stream.end(body)
  })
}

function headersObject (rawHeaders: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of pairs(rawHeaders)) {
    const before = headers[name]
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return headers
}

function answer (statusCode: number, bytes: number, contentType: string | undefined): Answer {
  return { statusCode, bytes, ...(contentType === undefined ? {} : { contentType }) }
}
