import { authenticate, findUser } from './accounts.ts'
import { loginPage } from './pages/login.ts'
import { prefersHtml } from './negotiate.ts'
import { sendPage } from './pages/layout.ts'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { User } from './accounts.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is logged in; null for anybody else. */
    user: User | null
  }
}

const cookieName = 'session'
const sessionSeconds = 12 * 60 * 60

const credentials = {
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: { type: 'string', maxLength: 100 },
    password: { type: 'string', maxLength: 1000 }
  }
}

/**
 * Sessions in a signed cookie, `<name>.<expiry in seconds>`: nothing is kept in this process, so the replay process
 * knows the user too.
 */
export function addSessions (app: FastifyInstance): void {
  app.decorateRequest('user', null)
  app.addHook('onRequest', async request => {
    const cookie = request.cookies[cookieName]
    request.user = cookie === undefined ? null : readSession(request.unsignCookie(cookie).value)
  })

  app.get('/login', async (request, reply) => sendPage(reply, loginPage(request.user, null)))

  app.post<{ Body: { username: string, password: string } }>('/login', { schema: { body: credentials } }, async (request, reply) => {
    const user = await authenticate(request.body.username, request.body.password)
    const asJson = request.headers['content-type']?.startsWith('application/json')
    if (!user) {
      reply.code(401)
      const message = 'Wrong user name or password.'
      if (asJson || !prefersHtml(request.headers.accept, 'html')) return { statusCode: 401, code: 'DEMO_LOGIN_FAILED', error: 'Unauthorized', message }
      return sendPage(reply, loginPage(null, message))
    }
    startSession(reply, user)
    return asJson ? user : reply.redirect('/', 303)
  })

  app.post('/logout', async (request, reply) => {
    reply.clearCookie(cookieName, { path: '/' })
    return prefersHtml(request.headers.accept, 'html') ? reply.redirect('/', 303) : { loggedOut: true }
  })
}

function startSession (reply: FastifyReply, user: User): void {
  const expires = Math.floor(Date.now() / 1000) + sessionSeconds
  reply.setCookie(cookieName, `${user.name}.${expires}`, {
    signed: true, httpOnly: true, sameSite: 'lax', path: '/', maxAge: sessionSeconds
  })
}

function readSession (value: string | null): User | null {
  const [name, expires] = value?.split('.') ?? []
  return name !== undefined && Number(expires) > Date.now() / 1000 ? findUser(name) : null
}
