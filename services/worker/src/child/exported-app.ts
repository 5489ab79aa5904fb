import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { WorkerError } from '../errors.ts'
import type { CapturedServers, Instance } from './listen.ts'

/** An app that opens connections first may call `listen()` only then; calling it before the app does would break it. */
const GRACE = 5000
const POLL = 10

/**
 * An entry that calls `listen()` is left alone. One that only exports something (what `fastify start`
 * takes, a factory, or an instance) is started here in the way its export asks for.
 * @param onEvaluated Called when the entry's top level has run to its end.
 * @throws WorkerError `GEORDI_APP_UNKNOWN_KIND`
 */
export async function startWhatIsExported (entry: string, servers: CapturedServers, onEvaluated: () => void): Promise<void> {
  const candidate = pick(await evaluated(entry))
  onEvaluated()
  if (servers.listens > 0) return
  const finished = await nothingLeftToDo(candidate === undefined ? undefined : GRACE)
  if (servers.listens > 0) return
  if (candidate === undefined) throw unknownKind(entry)
  if (isInstance(candidate.value)) {
    await candidate.value.listen({ port: 0 })
  } else if (finished || servers.instances === 0) {
    const app = await create(candidate, entry)
    if (servers.listens === 0) await app.listen({ port: 0 })
  }
  // A file with a factory that has made an app by itself and still works on something is going to listen.
}

/** Resolves with true when the app has nothing under way that could call `listen()`, with false after the time limit. */
async function nothingLeftToDo (limit: number | undefined): Promise<boolean> {
  return new Promise(resolve => {
    process.once('beforeExit', () => resolve(true))
    if (limit !== undefined) setTimeout(() => resolve(false), limit).unref()
  })
}

/** The entry's exports once it has run. It is node's own main module and must not be evaluated a second time. */
async function evaluated (entry: string): Promise<Record<string, unknown>> {
  const { cache } = createRequire(entry)
  const commonjs = (): NodeJS.Module | undefined => cache[entry]
  // A turn for node to begin with the main module: CommonJS has run through by then.
  await new Promise(resolve => setImmediate(resolve))
  for (let module = commonjs(); module !== undefined; module = commonjs()) {
    if (module.loaded) return asNamespace(module.exports)
    await delay(POLL)
  }
  // An ES module: the same URL gives the same module, when its top-level awaits have ended.
  const namespace = await import(pathToFileURL(entry).href)
  return asNamespace(commonjs()?.exports ?? namespace)
}

function asNamespace (exported: unknown): Record<string, unknown> {
  if (typeof exported === 'function' || isInstance(exported)) return { ...exported, default: exported }
  return isObject(exported) ? exported : {}
}

interface Candidate {
  readonly value: Instance | ((...args: unknown[]) => unknown)
  /** What the file exports for `fastify start --options`. */
  readonly options: object
}

/** As fastify-cli: the default export, or what the file exports as a factory by a usual name. */
function pick (exported: Record<string, unknown>): Candidate | undefined {
  const inner = exported['default']
  const fromDefault = isObject(inner) && 'default' in inner ? inner['default'] : inner
  const options = [exported['options'], isObject(inner) ? inner['options'] : undefined].find(isObject) ?? {}
  for (const value of [fromDefault, exported['build'], exported['buildApp'], exported['createApp'], exported['app']]) {
    if (typeof value === 'function' || isInstance(value)) return { value: value as Candidate['value'], options }
  }
  return undefined
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isInstance (value: unknown): value is Instance {
  return isObject(value) && typeof value['listen'] === 'function' && typeof value['register'] === 'function'
}

/** A plugin takes two arguments or, with a callback, three (fastify-cli demands it too); a factory takes none or its options. */
async function create ({ value, options }: Candidate, entry: string): Promise<Instance> {
  const run = value as (...args: unknown[]) => unknown
  if (run.length >= 2) {
    const app = (await appsFastify(entry))(options)
    // As `fastify start --options`, which gives them to the plugin too.
    await app.register(run, { ...options })
    return app
  }
  const app = await run({})
  if (!isInstance(app)) throw unknownKind(entry)
  return app
}

function unknownKind (entry: string): WorkerError {
  return new WorkerError('GEORDI_APP_UNKNOWN_KIND',
    `${entry} does not call listen(), and exports neither a Fastify plugin (a function of fastify and options) nor a factory (a function that returns a Fastify instance) nor an instance. Name the file that starts your server.`)
}

/** The app's own copy of Fastify: a plugin must not meet another version. */
async function appsFastify (entry: string): Promise<(options: unknown) => Instance> {
  const { default: fastify } = await import(pathToFileURL(createRequire(entry).resolve('fastify')).href)
  return fastify
}
