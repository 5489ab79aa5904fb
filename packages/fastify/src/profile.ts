import type { FastifyRequest } from 'fastify'
import { urlShower } from '@geordi/profile/hide'
import type { Replays } from '@geordi/replay'
import { auditor } from './audit.ts'
import { captureRequest } from './capture.ts'
import { GeordiError } from './errors.ts'
import { withoutFlag } from './flag.ts'
import type { GeordiSettings } from './options.ts'
import { address } from './place.ts'

/** What the plugin decorates the app with, as `app.geordi`. */
export interface GeordiDecorator {
  /** Where geordi's pages are, as a path of the app's. */
  readonly prefix: string
  /**
   * Queues a request for profiling that nobody has flagged: the same request once more, beside this one, so only one that is safe
   * (GET, HEAD) and has no body. Nobody is asked whether they are an admin: the report is for admins, the request may be anyone's.
   *
   * @param by Who wants it, for the report and the audit; its replays are limited as those of one admin. @defaultValue `'dogslow'`
   * @returns The replay's id, and the path of its page.
   * @throws GeordiError `GEORDI_NOT_SAFE`, `GEORDI_HOOK_FAILED`; the queue's errors, as `GEORDI_QUEUE_UNAVAILABLE`
   */
  profile (request: FastifyRequest, by?: string): Promise<{ readonly id: string, readonly url: string }>
}

/** What profiles requests that nobody has flagged. */
export function decorator (replays: Replays, settings: GeordiSettings): GeordiDecorator {
  const audit = auditor(settings)
  const shown = urlShower(settings.hide)
  return {
    prefix: settings.prefix,
    async profile (request, by = 'dogslow') {
      const { method, headers, originalUrl } = request
      const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
      if ((method !== 'GET' && method !== 'HEAD') || hasBody) {
        throw new GeordiError('GEORDI_NOT_SAFE', `${method} ${originalUrl.split('?', 1)[0]} was not queued: only a GET or HEAD without a body can run once more without harm.`)
      }
      const url = withoutFlag(originalUrl, settings.parameter) ?? originalUrl
      const replay = await replays.submit(await captureRequest(request, { url, body: Buffer.alloc(0), by }, settings, shown))
      await audit(request, { action: 'capture', method, url, by, id: replay.id })
      return { id: replay.id, url: address(replay.id, settings) }
    }
  }
}
