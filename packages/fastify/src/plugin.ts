import { setMaxListeners } from 'node:events'
import type { FastifyInstance } from 'fastify'
import { DEFAULT_LIMITS, Replays, replayProcess } from '@geordi/replay'
import { intercept } from './intercept.ts'
import { completeOptions, type GeordiOptions } from './options.ts'
import { routePages } from './page-routes.ts'
import { pageAnswers } from './pages.ts'
import { decorator } from './profile.ts'
import { joinReplay } from './replay.ts'

/** Milliseconds. */
const FORGET_INTERVAL = 60_000

/** Decides where it is: in a replay process it restores and steps aside, in a web process it watches for the flag. */
export async function geordiPlugin (fastify: FastifyInstance, options: GeordiOptions): Promise<void> {
  const settings = completeOptions(options)
  const process = replayProcess()
  if (process !== undefined) return joinReplay(fastify, process, settings)

  warnOfEarlierRoutes(fastify)
  const limits = Object.fromEntries((Object.keys(DEFAULT_LIMITS) as Array<keyof typeof DEFAULT_LIMITS>).map(name => [name, settings[name]]))
  const replays = await Replays.open({ ...settings.queue, secret: settings.secret, ...limits, role: 'web' })
  fastify.addHook('onClose', () => replays.close())
  forgetRegularly(fastify, replays)
  // In a plugin with a prefix of its own, the pages are under that.
  const located = { ...settings, prefix: fastify.prefix.replace(/\/$/, '') + settings.prefix }
  // Registered twice, the first one's.
  if (!fastify.hasDecorator('geordi')) fastify.decorate('geordi', decorator(replays, located))
  const closing = new AbortController()
  // Each `?wait` listens to it.
  setMaxListeners(0, closing.signal)
  fastify.addHook('preClose', async () => closing.abort())
  const answerPage = pageAnswers(replays, located, closing.signal)
  const hostedPlace = routePages(fastify, settings.prefix, located, answerPage)
  intercept(fastify, replays, located, { hostedPlace, answerPage })
  if (isEncapsulated(fastify)) warnOfOtherRoutes(fastify)
}

/** Lets go of what is too old or too much, whether or not anybody asks for profiles. */
function forgetRegularly (fastify: FastifyInstance, replays: Replays): void {
  let timer: NodeJS.Timeout | undefined
  fastify.addHook('onReady', async () => {
    // A queue server that is away has nothing that could be let go of; the next time will do.
    timer = setInterval(() => { replays.forget().catch(() => {}) }, FORGET_INTERVAL)
    // An app that has nothing else to do ends as without geordi.
    timer.unref()
  })
  fastify.addHook('onClose', async () => clearInterval(timer))
}

/** `app.register(geordi)` without `await` runs after the routes that follow it; some may be seen and others not. */
function warnOfEarlierRoutes (fastify: FastifyInstance): void {
  const routes = fastify.printRoutes({ commonPrefix: false }).trim()
  if (routes !== '(empty tree)') {
    fastify.log.warn(`geordi can't profile these routes, because they were there before it. Put \`await app.register(geordi, …)\` before them:\n${routes}`)
  }
}

/** In a plugin of its own geordi sees the routes of that plugin; the rest of the app goes on without it. */
function warnOfOtherRoutes (fastify: FastifyInstance): void {
  const seen: string[] = []
  fastify.addHook('onRoute', ({ method, url }) => { seen.push(`${String(method)} ${url}`) })
  fastify.addHook('onReady', async () => {
    fastify.log.warn(`geordi was registered in an encapsulated plugin, as the whole app is one under \`fastify start\`, and can profile only its routes: ${seen.join(', ')}. If there are others, put \`await app.register(geordi, …)\` on the root instance, or wrap the plugin in fastify-plugin.`)
  })
}

/** Fastify makes an encapsulated instance from its parent, as its prototype. */
function isEncapsulated (fastify: FastifyInstance): boolean {
  return 'addHook' in Object.getPrototypeOf(fastify)
}
