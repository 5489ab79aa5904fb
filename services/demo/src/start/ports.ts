import { once } from 'node:events'
import { createServer } from 'node:net'
import { SettingsError } from '../settings.ts'
import type { ListenSettings } from '../settings.ts'

/**
 * The port to use: the wanted one, or a free one for 0.
 *
 * @throws SettingsError when it is taken or may not be used
 */
export async function claimPort ({ host, port }: ListenSettings): Promise<number> {
  const probe = createServer()
  try {
    probe.listen({ host, port, exclusive: true })
    await once(probe, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new SettingsError(code === 'EADDRINUSE'
      ? `Port ${port} of ${host} is taken. Stop what uses it, or choose another one: PORT=3001 npm start`
      : `Can't listen on port ${port} of ${host} (${code ?? error}). Choose others with PORT and HOST.`)
  }
  const { port: found } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return found
}

/** The address that a browser on this machine uses for a server that listens so. */
export function browserUrl ({ host, port }: ListenSettings): string {
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
  return `http://${everywhere[host] ?? (host.includes(':') ? `[${host}]` : host)}:${port}`
}
