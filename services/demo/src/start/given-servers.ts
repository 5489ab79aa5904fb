import { setTimeout as sleep } from 'node:timers/promises'
import { newReplayId, Replays } from '@geordi/replay'
import pg from 'pg'
import { SettingsError } from '../settings.ts'

/** A server that was started together with us may need a moment. */
const TRIES = 5
const PAUSE = 1_000
const CONNECT_TIMEOUT = 3_000

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Checks what the environment names, before anything is started: that the servers are there, and that the secret is one.
 *
 * @throws SettingsError
 */
export async function checkGivenServers (env: Environment, secret: string): Promise<void> {
  const queue = (['GEORDI_QUEUE_URL', 'REDIS_URL'] as const).find(name => env[name])
  // Any URL does to have the secret checked; nothing is connected before the first use.
  const replays = await openReplays(queue === undefined ? 'redis://127.0.0.1' : env[queue]!, secret, queue ?? 'GEORDI_SECRET')
  try {
    if (queue !== undefined) await reach(queue, () => replays.find(newReplayId()))
  } finally {
    await replays.close()
  }
  const database = env['DATABASE_URL']
  if (database) await reach('DATABASE_URL', () => connect(database))
}

async function openReplays (url: string, secret: string, queue: string): Promise<Replays> {
  try {
    return await Replays.open({ url, secret, role: 'web', timeout: CONNECT_TIMEOUT })
  } catch (error) {
    const { message } = error as Error
    throw new SettingsError(message.includes('`secret`') ? `GEORDI_SECRET: ${message}` : `${queue}: ${message}`)
  }
}

async function connect (url: string): Promise<void> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) throw new SettingsError('DATABASE_URL must be a postgres:// URL.')
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT })
  client.on('error', () => {})
  await client.connect()
  await client.end()
}

async function reach (name: string, attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await attempt()
      return
    } catch (error) {
      if (error instanceof SettingsError) throw error
      const { message, code } = error as NodeJS.ErrnoException
      if (tries === TRIES) throw new SettingsError(`${name} names a server that can't be used: ${message || code}`)
    }
    await sleep(PAUSE)
  }
}
