import { readFile } from 'node:fs/promises'
import { urlShower } from '@geordi/profile/hide'
import type { CapturedRequest } from '@geordi/replay'
import { UsageError } from './command-line.ts'

export interface RequestArguments {
  readonly method: string | undefined
  /** A path, or a whole `http:` or `https:` URL. */
  readonly url: string
  /** `Name: value` each. */
  readonly headers: readonly string[]
  /** The body, or `@` and the name of the file that holds it. */
  readonly data: string | undefined
}

/** A request from the command line, with what curl would add to it. @throws UsageError */
export async function composeRequest ({ method, url, headers, data }: RequestArguments): Promise<CapturedRequest> {
  const target = parseTarget(url)
  const body = data === undefined ? Buffer.alloc(0) : await readData(data)
  const given = headers.flatMap(splitHeader)
  const names = new Set(given.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase()))
  const standard = {
    host: target.host,
    'user-agent': 'geordi',
    accept: '*/*',
    ...(data === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    // A chunked body has no length beside it.
    ...(data === undefined || names.has('transfer-encoding') ? {} : { 'content-length': String(body.length) })
  }
  const added = Object.entries(standard).filter(([name]) => !names.has(name)).flat()
  return {
    method: method ?? (data === undefined ? 'GET' : 'POST'),
    url: target.path,
    // A report goes from hand to hand.
    shownUrl: urlShower([])(target.path),
    httpVersion: '1.1',
    rawHeaders: [...added, ...given],
    body,
    connection: { encrypted: target.encrypted, remoteAddress: '127.0.0.1', remoteFamily: 'IPv4' },
    capturedAt: Date.now()
  }
}

/** The path stays as it is spelled; of a whole URL the host becomes a header. */
function parseTarget (url: string): { host: string, path: string, encrypted: boolean } {
  const [, scheme, , rest] = /^(?:(https?):\/\/([^/?#]*))?([/?]?[^#]*)/.exec(url)!
  if (scheme === undefined && !url.startsWith('/')) throw new UsageError(`${url} is neither a path that begins with / nor an http or https URL.`)
  if (scheme !== undefined && !URL.canParse(url)) throw new UsageError(`${url} is no URL.`)
  // What can't stand in a request line is encoded, as browsers do it.
  const path = rest!.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  return {
    host: scheme === undefined ? 'localhost' : new URL(url).host,
    path: path.startsWith('/') ? path : `/${path}`,
    encrypted: scheme === 'https'
  }
}

async function readData (data: string): Promise<Buffer> {
  if (!data.startsWith('@')) return Buffer.from(data)
  try {
    return await readFile(data.slice(1))
  } catch (cause) {
    throw new UsageError(`The body's file can't be read: ${(cause as Error).message}`)
  }
}

function splitHeader (header: string): [string, string] {
  const match = /^([^\s:]+):[ \t]*(.*)$/.exec(header)
  if (match === null) throw new UsageError(`-H '${header}' is no header; write it as 'Name: value'.`)
  return [match[1]!, match[2]!]
}
