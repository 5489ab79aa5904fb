import type { FastifyRequest } from 'fastify'
import type { TLSSocket } from 'node:tls'
import type { CapturedConnection, CapturedRequest } from '@geordi/replay'
import { GeordiError } from './errors.ts'
import { identity } from './identity.ts'
import { captureSession } from './memory-session.ts'
import type { GeordiSettings } from './options.ts'

/** What of a request is not to be found in Fastify's. */
export interface CapturedParts {
  /** Path and query without the flag. */
  readonly url: string
  /** The body as it arrived. */
  readonly body: Buffer
  /** In whose name it is profiled, where that isn't who sent it. */
  readonly by?: string
}

/**
 * All of a request that a replay needs, once the app's hooks have run and its body has arrived.
 * @throws GeordiError `GEORDI_HOOK_FAILED`
 */
export async function captureRequest (request: FastifyRequest, { url, body, by: other }: CapturedParts, settings: GeordiSettings, shown: (url: string) => string): Promise<CapturedRequest> {
  const { raw } = request
  const by = other ?? await ask('identify', () => identity(request, settings))
  const context = await ask('capture', async () => plain(await settings.capture(request)))
  return {
    method: raw.method!,
    url,
    shownUrl: shown(url),
    httpVersion: raw.httpVersion,
    rawHeaders: withoutFlagInPath(raw.rawHeaders, url),
    body,
    ...present('rawTrailers', captureTrailers(raw.rawTrailers)),
    connection: captureConnection(raw.socket as TLSSocket),
    capturedAt: Date.now(),
    ...present('by', by),
    ...present('context', context),
    ...present('session', captureSession(request))
  }
}

async function ask<T> (name: 'identify' | 'capture', hook: () => T): Promise<Awaited<T>> {
  try {
    return await hook()
  } catch (cause) {
    throw new GeordiError('GEORDI_HOOK_FAILED', `geordi's option \`${name}\` threw: ${(cause as Error)?.message ?? String(cause)}`, { cause })
  }
}

/** As it will arrive in the replay process. What JSON can't hold (a bigint, a cycle) throws here, where its owner is known. */
function plain (value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined
  return text === undefined ? undefined : JSON.parse(text)
}

/** Requests of `app.inject` have none, whatever their type says. */
function captureTrailers (rawTrailers: readonly string[] | undefined): readonly string[] | undefined {
  return rawTrailers === undefined || rawTrailers.length === 0 ? undefined : rawTrailers
}

function captureConnection (socket: TLSSocket): CapturedConnection {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } = socket
  return {
    encrypted: socket.encrypted === true,
    ...present('remoteAddress', remoteAddress),
    ...present('remotePort', remotePort),
    ...present('remoteFamily', remoteFamily),
    ...present('localAddress', localAddress),
    ...present('localPort', localPort)
  }
}

/** HTTP/2 carries the URL among the headers. */
function withoutFlagInPath (rawHeaders: readonly string[], url: string): readonly string[] {
  return rawHeaders.map((value, index) => index % 2 === 1 && rawHeaders[index - 1] === ':path' ? url : value)
}

function present<Key extends string, Value> (key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }
}
