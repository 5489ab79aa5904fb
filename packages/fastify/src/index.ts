import fastifyPlugin from 'fastify-plugin'
import { geordiPlugin } from './plugin.ts'

/**
 * Fastify plugin: an admin appends `?__geordi__` to any URL and gets a call-graph PDF of what that one
 * request does, replayed outside the web process. Register it first, and await it:
 *
 * ```ts
 * await app.register(geordi, { isAdmin, secret, queue: { url } })
 * ```
 *
 * @throws GeordiError `GEORDI_OPTION_INVALID` for wrong options, `GEORDI_NO_ROUTES` at `ready()` where it sees no route
 */
export const geordi = fastifyPlugin(geordiPlugin, { fastify: '5.x', name: '@geordi/fastify' })
export default geordi

export { type GeordiOptions } from './options.ts'
export { GeordiError, type GeordiErrorCode } from './errors.ts'
