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
 * It adds its hooks and pages to the instance that it is registered on; the app's own routes and answers stay as they are for
 * everybody who is no admin.
 *
 * @throws an error with the `code` `GEORDI_OPTION_INVALID` for wrong options, naming the option; at `ready()` a
 * {@link GeordiError} `GEORDI_NO_ROUTES` where it sees no route. That the queue server is away is no error.
 */
export const geordi = fastifyPlugin(geordiPlugin, { fastify: '5.x', name: '@geordi/fastify' })
export default geordi

export { type GeordiOptions } from './options.ts'
export { type GeordiDecorator } from './profile.ts'
export { type AuditEvent } from './audit.ts'
export { GeordiError, type GeordiErrorCode } from './errors.ts'
