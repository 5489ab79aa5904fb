import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { Duplex, Writable } from 'node:stream'
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
  try {
    return await new Promise<Answer>((resolve, reject) => {
      socket.on('error', reject)
      socket.write(requestHead(request))
      socket.write(requestBody(request))
      const reader = requestHttp({
        method: request.method,
        signal,
        createConnection: () => Duplex.from({ readable: socket, writable: discard() })
      })
      reader.on('error', reject)
      reader.on('response', response => { drain(response).then(resolve, reject) })
      reader.on('upgrade', response => resolve(answer(response.statusCode!, 0, undefined)))
      reader.end()
    })
  } finally {
    socket.destroy()
  }
}

/** Node reads a request's head as Latin-1, so that is what gives the same bytes again. */
function requestHead ({ method, url, httpVersion, rawHeaders }: CapturedRequest): Buffer {
  let head = `${method} ${url} HTTP/${httpVersion === '1.0' ? '1.0' : '1.1'}\r\n`
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`
  return Buffer.from(`${head}\r\n`, 'latin1')
}

/** A chunked body comes as one chunk: its bytes are the body, where it was cut is the network's chance. */
function requestBody ({ rawHeaders, body }: CapturedRequest): Uint8Array {
  const chunked = rawHeaders.some((name, index) => index % 2 === 0 && /^transfer-encoding$/i.test(name))
  if (!chunked) return body
  const chunk = body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]
  return Buffer.concat([...chunk, Buffer.from('0\r\n\r\n')])
}

function discard (): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

async function drain (response: IncomingMessage): Promise<Answer> {
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  return answer(response.statusCode!, bytes, response.headers['content-type'])
}

async function sendHttp2 ({ rawHeaders, body }: CapturedRequest, { socketPath, protocol, signal }: Destination): Promise<Answer> {
  const session = connectHttp2('http://localhost', {
    createConnection: () => protocol === 'h2'
      ? connectTls({ path: socketPath, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connectSocket(socketPath)
  })
  try {
    return await exchange(session, rawHeaders, body, signal)
  } finally {
    session.destroy()
  }
}

async function exchange (session: ClientHttp2Session, rawHeaders: readonly string[], body: Uint8Array, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    session.on('error', reject)
    const stream = session.request(headersObject(rawHeaders), { signal })
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
    stream.end(body)
  })
}

function headersObject (rawHeaders: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {}
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    const before = headers[name]
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return headers
}

function answer (statusCode: number, bytes: number, contentType: string | undefined): Answer {
  return { statusCode, bytes, ...(contentType === undefined ? {} : { contentType }) }
}
