import type { WebhookSink } from '../options.ts'
import type { DogslowEvent } from '../report.ts'

/** Posts events as JSON. */
export function webhookSink ({ url, headers, timeout }: Required<WebhookSink>): (event: DogslowEvent) => Promise<void> {
  return async event => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(timeout)
    })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`The webhook answered with ${answer.status}.`)
  }
}
