import type { FastifyRequest } from 'fastify'
import type { GeordiSettings } from './options.ts'

/** Fails closed: what is not a plain yes is a no, an error too. */
export async function isAdmin (request: FastifyRequest, settings: GeordiSettings): Promise<boolean> {
  try {
    return await settings.isAdmin(request) === true
  } catch {
    return false
  }
}
