import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { WorkerError } from '../errors.ts'
import type { CapturedServers } from './listen.ts'

/** What of a Fastify instance is used here; the app brings its own version of Fastify. */
interface Instance {
  register (plugin: unknown, options: object): unknown
  listen (options: object): Promise<unknown>
  ready (): Promise<unknown>
}

/** Long enough for an entry that exports its app to call `listen()` itself. */
const GRACE = 250
const POLL = 10

/**
 * An entry that calls `listen()` is left alone. One that only exports something (what `fastify start`
 * takes, a factory, or an instance) is started here in the way its export asks for.
 * @throws WorkerError `GEORDI_APP_UNKNOWN_KIND`
 */
export async function startWhatIsExported (entry: string, servers: CapturedServers): Promise<void> {
  const exported = await evaluated(entry)
  if (servers.listens > 0) return
  const candidate = pick(exported)
  if (candidate === undefined) {
    // An entry that exports nothing is a server that is still starting; when none was created, it is a wrong file.
    return
  }
  if (isInstance(candidate) || servers.instances > 0) {
    // The file made its app itself. It mostly listens too, perhaps after some awaiting.
    await delay(GRACE)
    if (servers.listens === 0 && isInstance(candidate)) await candidate.listen({ port: 0 })
    return
  }
  const app = await create(candidate, exported, entry)
  if (servers.listens === 0) await app.listen({ port: 0 })
}

/** The entry's exports once it has run. It is node's own main module and must not be evaluated a second time. */
async function evaluated (entry: string): Promise<Record<string, unknown>> {
  const { cache } = createRequire(entry)
  // A turn for node to begin with the main module: CommonJS has run through by then.
  await new Promise(resolve => setImmediate(resolve))
  for (let waited = 0; cache[entry] !== undefined; waited += POLL) {
    if (cache[entry].loaded) return asNamespace(cache[entry].exports)
    await delay(POLL)
  }
  // An ES module: the same URL gives the same module, when its top-level awaits have ended.
  return asNamespace(await import(pathToFileURL(entry).href))
}

function asNamespace (exported: unknown): Record<string, unknown> {
  if (typeof exported === 'function') return { ...exported, default: exported }
  return typeof exported === 'object' && exported !== null ? exported as Record<string, unknown> : {}
}

/** As fastify-cli: the default export, or what the file exports as a factory by a usual name. */
function pick (exported: Record<string, unknown>): unknown {
  const inner = exported['default']
  const fromDefault = typeof inner === 'object' && inner !== null && 'default' in inner ? inner.default : inner
  for (const value of [fromDefault, exported['build'], exported['buildApp'], exported['createApp'], exported['app']]) {
    if (typeof value === 'function' || isInstance(value)) return value
  }
  return undefined
}

function isInstance (value: unknown): value is Instance {
  return typeof value === 'object' && value !== null && typeof (value as Instance).listen === 'function' && typeof (value as Instance).register === 'function'
}

/** A plugin takes two arguments or, with a callback, three (fastify-cli demands it too); a factory takes none or its options. */
async function create (candidate: unknown, exported: Record<string, unknown>, entry: string): Promise<Instance> {
  const run = candidate as (...args: unknown[]) => unknown
  if (run.length >= 2) {
    const options = typeof exported['options'] === 'object' ? exported['options'] : {}
    const app = (await appsFastify(entry))(options)
    await app.register(run, {})
    return app
  }
  const app = await run({})
  if (!isInstance(app)) {
    throw new WorkerError('GEORDI_APP_UNKNOWN_KIND',
      `${entry} does not call listen(), and what it exports is no Fastify plugin (a function of fastify and options) and no factory (a function that returns a Fastify instance). Name the file that starts your server.`)
  }
  return app
}

/** The app's own copy of Fastify: a plugin must not meet another version. */
async function appsFastify (entry: string): Promise<(options: unknown) => Instance> {
  const { default: fastify } = await import(pathToFileURL(createRequire(entry).resolve('fastify')).href)
  return fastify
}
