import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'
import { Dogslow } from './dogslow.ts'
import { DogslowError } from './errors.ts'
import { run } from './frames.ts'
import { nameCalls } from './hooks.ts'
import { importOptional, loadSentry } from './main-sinks.ts'
import { completeOptions, type DogslowOptions } from './options.ts'
import { OPEN } from './open-request.ts'

/** Says of an app that it is watched; what is encapsulated in it inherits that. */
const REGISTERED = Symbol('dogslow')

/** Watches the requests of the app, except in a replay process. */
export async function dogslowPlugin (fastify: FastifyInstance, options: DogslowOptions): Promise<void> {
  const settings = completeOptions(options)
  if (REGISTERED in fastify) throw new DogslowError('GEORDI_DOGSLOW_TWICE', 'dogslow is registered already, on this app or on one that encloses it: each request would be reported twice. Register it once, with all its options.')
  Object.defineProperty(fastify, REGISTERED, { value: true })
  // A replay of geordi's runs as long as it must, and records more than is told here.
  if (process.env.GEORDI_REPLAY === '1') return
  const sentry = await loadSentry(settings)
  if (settings.mail !== undefined) await importOptional('nodemailer', 'mail', async () => createRequire(import.meta.url).resolve('nodemailer'))

  const dogslow = new Dogslow(settings, fastify, sentry)
  fastify.decorateRequest(OPEN, null)
  fastify.addHook('onRequest', (request, reply, done) => {
    // What follows at once runs within: hooks with callbacks, and a handler after them.
    run(dogslow.enter(request, reply), done)
  })
  fastify.addHook('onRoute', route => dogslow.addRoute(route))
  nameCalls(fastify)
  // The lowest threshold of all routes is known then.
  fastify.addHook('onReady', () => dogslow.start())
  fastify.addHook('onClose', () => dogslow.close())
}
