import type { FastifyInstance } from 'fastify'
import { Replays, replayProcess } from '@geordi/replay'
import { intercept } from './intercept.ts'
import { completeOptions, type GeordiOptions } from './options.ts'
import { servePages } from './pages.ts'
import { joinReplay } from './replay.ts'

/** Decides where it is: in a replay process it restores and steps aside, in a web process it watches for the flag. */
export async function geordiPlugin (fastify: FastifyInstance, options: GeordiOptions): Promise<void> {
  const settings = completeOptions(options)
  const process = replayProcess()
  if (process !== undefined) return joinReplay(fastify, process, settings)

  warnOfEarlierRoutes(fastify)
  const replays = await Replays.open({ ...settings.queue, secret: settings.secret, retention: settings.retention, role: 'web' })
  fastify.addHook('onClose', () => replays.close())
  servePages(fastify, replays, settings)
  intercept(fastify, replays, settings)
}

/** `app.register(geordi)` without `await` runs after the routes that follow it; some may be seen and others not. */
function warnOfEarlierRoutes (fastify: FastifyInstance): void {
  const routes = fastify.printRoutes({ commonPrefix: false }).trim()
  if (routes !== '(empty tree)') {
    fastify.log.warn(`geordi can't profile these routes, because they were there before it. Put \`await app.register(geordi, …)\` before them:\n${routes}`)
  }
}
