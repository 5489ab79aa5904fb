import { startLocalServer } from '@geordi/replay/local'
import pg from 'pg'
import type { LocalServer } from '@geordi/replay/local'
import type { SlowRoute } from '../src/slow/route.ts'
import type { AppSettings } from '../src/settings.ts'

/** A PostgreSQL with an empty database, and the settings of an app that uses it. */
export interface TestServer {
  server: LocalServer
  settings: AppSettings
}

export async function startTestServer (): Promise<TestServer> {
  const server = await startLocalServer({ kind: 'postgres' })
  return {
    server,
    settings: {
      databaseUrl: await freshDatabase(server, 'demo'),
      queueUrl: server.url,
      geordiSecret: 'a secret of the tests, long enough',
      sessionSecret: 'another secret of the tests',
      logLevel: 'silent'
    }
  }
}

/** Makes a database; gives its URL. */
export async function freshDatabase (server: LocalServer, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return Object.assign(new URL(server.url), { pathname: `/${name}` }).href
}

/** The session cookie of who has logged in. */
export async function login (origin: string, username: string, password: string): Promise<string> {
  const response = await fetch(`${origin}/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username, password })
  })
  return sessionOf(response)
}

export function sessionOf (response: Response): string {
  return response.headers.getSetCookie().find(cookie => cookie.startsWith('session='))?.split(';')[0] ?? ''
}

/** A URL of the route with the smallest numbers: what it answers is the same for all. */
export function cheapUrl ({ path, parameters }: SlowRoute, ...more: string[]): string {
  const query = Object.entries(parameters).map(([name, parameter]) => `${name}=${parameter.type === 'integer' ? parameter.minimum : 'Data'}`)
  return [path, [...query, ...more].join('&')].filter(part => part !== '').join('?')
}
