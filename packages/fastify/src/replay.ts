import type { FastifyInstance } from 'fastify'
import type { ReplayProcess } from '@geordi/replay'
import { restoreSession } from './memory-session.ts'
import type { GeordiSettings } from './options.ts'

/** The plugin in a replay process: tells the worker which app it is, and restores what the request had in the web process. */
export function joinReplay (fastify: FastifyInstance, process: ReplayProcess, settings: GeordiSettings): void {
  process.attach({
    server: fastify.server,
    isOverloaded: () => (fastify as { isUnderPressure?: () => boolean }).isUnderPressure?.() === true,
    close: () => fastify.close()
  })

  // Requests that the app makes to itself with `inject` were not captured, neither before the replayed one nor in it.
  let restored = false
  fastify.addHook('onRequest', async request => {
    const captured = process.request
    if (captured === undefined || restored) return
    restored = true
    if (captured.session !== undefined) await restoreSession(fastify, request, captured.session)
    if ('context' in captured) await settings.restore(request, captured.context)
  })
}
