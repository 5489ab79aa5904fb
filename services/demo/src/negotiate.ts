/**
 * Whether the client would rather have HTML than JSON. Without a preference (`*\/*`, as curl sends it, or no header at
 * all) `fallback` decides.
 */
export function prefersHtml (accept: string | undefined, fallback: 'html' | 'json'): boolean {
  const quality = (type: string) => qualityOf(accept ?? '*/*', type)
  const [asHtml, asJson] = [quality('text/html'), quality('application/json')]
  return asHtml === asJson ? fallback === 'html' : asHtml > asJson
}

/** The `q` that an Accept header gives a media type: its most specific entry counts. */
function qualityOf (accept: string, type: string): number {
  const wildcards = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*']
  const entries = accept.split(',').map(entry => entry.split(';').map(part => part.trim().toLowerCase()))
  for (const range of wildcards) {
    const entry = entries.find(([name]) => name === range)
    if (!entry) continue
    const q = Number(entry.find(part => part.startsWith('q='))?.slice(2) ?? 1)
    return Number.isNaN(q) ? 1 : q
  }
  return 0
}
