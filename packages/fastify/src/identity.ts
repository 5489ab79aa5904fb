import type { FastifyRequest } from 'fastify'
import { printable } from '@geordi/replay'
import type { GeordiSettings } from './options.ts'

/** UTF-16 units of a name that are kept. */
const LONGEST = 200

/**
 * Who sends a request, by the option `identify`: what people have typed as their name can be anything.
 * @throws what `identify` throws
 */
export async function identity (request: FastifyRequest, settings: GeordiSettings): Promise<string | undefined> {
  const who = await settings.identify(request)
  return who == null ? undefined : printable(String(who).slice(0, LONGEST))
}

/** The same, as far as it can be told. */
export async function identityIfKnown (request: FastifyRequest, settings: GeordiSettings): Promise<string | undefined> {
  try {
    return await identity(request, settings)
  } catch {
    // It says so where the name is asked for: when a request is captured.
    return undefined
  }
}
