import type { CapturedRequest } from '@geordi/replay'

/** Headers whose values are credentials. */
const HEADERS = /^(cookie|(proxy-)?authorization)$|(^|[-_])(token|key|secret|session|password)$/i
/** A shorter value would be found in any text, and is hidden in the URL alone. */
const SHORTEST = 5
/** What stands in place of a value. */
const HIDDEN = '***'

/** What an app has said of its request, less the request's credentials: many an app logs each URL that it is asked for. */
export function withoutCredentials (said: string, request: CapturedRequest): string {
  const values = new Set([...fromHeaders(request), ...fromQuery(request)])
  // One that is within another must not leave the rest of that.
  const longestFirst = [...values].filter(value => value.length >= SHORTEST).toSorted((one, other) => other.length - one.length)
  return longestFirst.reduce((text, value) => text.replaceAll(value, HIDDEN), said.replaceAll(request.url, request.shownUrl ?? request.url))
}

/** Whole, and in the parts that an app takes them for: a cookie's value, a token without its scheme. */
function fromHeaders ({ rawHeaders }: CapturedRequest): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && HEADERS.test(rawHeaders[index - 1]!))
    .flatMap(value => [value, ...value.split(';').map(pair => pair.slice(pair.indexOf('=') + 1).trim()), ...value.split(' ').slice(1)])
}

/** Those that the shown URL hides; as they are spelled, and as an app reads them. */
function fromQuery ({ url, shownUrl = url }: CapturedRequest): string[] {
  const shown = pairs(shownUrl)
  const hidden = pairs(url).filter((pair, index) => pair !== shown[index])
  return hidden.map(pair => pair.slice(pair.indexOf('=') + 1)).flatMap(value => [value, decoded(value)])
}

function pairs (url: string): string[] {
  return url.split(/[?&;#]/)
}

function decoded (value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '))
  } catch {
    return value
  }
}
