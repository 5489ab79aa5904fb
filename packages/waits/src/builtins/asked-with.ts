/** Headers that are others each time, or tell nothing of what is asked for. */
const MEANS_NOTHING = /^(?:traceparent|tracestate|baggage|sentry-trace|b3|x-b3-.*|x-datadog-.*|.*trace-id|.*(?:request|correlation)-id|date|x-amz-date|user-agent|connection|keep-alive)$/i
/** Signed with the time, too. */
const SIGNED = /^AWS4-/

/**
 * What of a request's headers makes it another question to the same address: a part of it, somebody else's, another form. As one text, to be compared only.
 *
 * @param headers As undici has them: names and values in turn, or (until 5) as lines; or an object of them.
 */
export function askedWith (headers: unknown): string {
  return pairs(headers).filter(([name, value]) => !MEANS_NOTHING.test(name) && !SIGNED.test(value)).map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort().join('\n')
}

function pairs (headers: unknown): Array<[name: string, value: string]> {
  if (typeof headers === 'string') return headers.split('\r\n').filter(line => line !== '').map(line => /^([^:]*):?\s*(.*)$/s.exec(line)!.slice(1) as [string, string])
  if (Array.isArray(headers)) return headers.flatMap((name, at) => at % 2 === 0 ? [[String(name), String(headers[at + 1])]] : [])
  return Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)])
}
