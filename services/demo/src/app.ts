import { STATUS_CODES } from 'node:http'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import dogslow from '@geordi/dogslow'
import geordi from '@geordi/fastify'
import Fastify from 'fastify'
import { connectDatabase, prepareDatabase } from './database.ts'
import { prefersHtml } from './negotiate.ts'
import { sendPage } from './pages/layout.ts'
import { messagePage } from './pages/message.ts'
import { styleSheet } from './pages/style.ts'
import { addRepositoryRoutes } from './routes/repositories.ts'
import { addSlowRoutes } from './routes/slow.ts'
import { addSessions } from './session.ts'
import { closeMeans, openMeans } from './slow/means.ts'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppSettings } from './settings.ts'

/** Bytes of a JSON body or an uploaded file. */
const bodyLimit = 16 * 1024 * 1024

/**
 * The demo app, ready to listen. Unless it is a replay, it makes and fills its tables first.
 *
 * @throws whatever PostgreSQL or the network says when the database can't be used
 */
export async function buildApp (settings: AppSettings): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: settings.logLevel ?? 'info' }, bodyLimit })
  const database = connectDatabase(settings.databaseUrl, error => app.log.warn(error, 'lost a connection to the database'))
  const means = openMeans(database, { databaseUrl: settings.databaseUrl, cacheUrl: settings.cacheUrl ?? null },
    error => app.log.warn(error, 'lost a connection of the slow routes'))
  app.addHook('onClose', async () => {
    await closeMeans(means)
    await database.end()
  })
  try {
    if (settings.replay) await database.query('SELECT 1') // connected, as a process that has run for a while
    else await prepareDatabase(database)

    // First: it sees the routes that are registered after it.
    await app.register(geordi, {
      isAdmin: request => request.user?.admin === true,
      identify: request => request.user?.name,
      secret: settings.geordiSecret,
      // An embedded PostgreSQL, on a laptop that has just built everything, takes its time over its first tables.
      queue: { url: settings.queueUrl, timeout: 5000 }
    })
    // Requests over DOGSLOW_TIMER report themselves to the log, and are profiled once an hour.
    await app.register(dogslow, { profile: 'auto' })
    await app.register(cookie, { secret: settings.sessionSecret })
    await app.register(formbody)
    await app.register(multipart, { limits: { files: 1, fileSize: bodyLimit, fields: 10 } })
    addSessions(app)
    addRepositoryRoutes(app, database)
    addSlowRoutes(app, means)
    app.get('/style.css', async (_request, reply) => reply
      .header('cache-control', 'max-age=3600').type('text/css; charset=utf-8').send(styleSheet))
    app.get('/health', async () => {
      await database.query('SELECT 1')
      return { healthy: true }
    })
    app.setNotFoundHandler((request, reply) => sendProblem(request, reply, 404, 'DEMO_NOT_FOUND', `There is no ${request.method} ${request.url}.`))
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500
      if (status >= 500) request.log.error(error)
      // What went wrong inside is for the log, not for the client; the app's own errors are worded for both.
      const forClient = status < 500 || error.code?.startsWith('DEMO_')
      return sendProblem(request, reply, status, error.code ?? 'DEMO_ERROR', forClient ? error.message : 'Something broke. The log says what.')
    })
    return app
  } catch (error) {
    await app.close()
    throw error
  }
}

function sendProblem (request: FastifyRequest, reply: FastifyReply, statusCode: number, code: string, message: string): FastifyReply {
  const title = STATUS_CODES[statusCode] ?? 'Error'
  reply.code(statusCode)
  return prefersHtml(request.headers.accept, 'json')
    ? sendPage(reply, messagePage(request.user, title, message))
    : reply.send({ statusCode, code, error: title, message })
}
