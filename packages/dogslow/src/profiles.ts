import type { FastifyInstance, FastifyRequest } from 'fastify'
import { DogslowError } from './errors.ts'
import type { DogslowSettings, SubmitProfile } from './options.ts'
import type { ProfileQueued } from './report.ts'

const HOUR = 3_600_000

/** What `@geordi/fastify` decorates the app with. */
export interface GeordiDecoration {
  /** Where its pages are. */
  readonly prefix: string
  readonly profile: SubmitProfile
}

/** Queues slow requests for profiling, a few an hour and route. */
export class Profiles {
  readonly #settings: DogslowSettings
  readonly #fastify: FastifyInstance
  readonly #queued: (event: ProfileQueued) => void
  readonly #recent = new Map<string, number[]>()
  #complained = false

  constructor (settings: DogslowSettings, fastify: FastifyInstance, queued: (event: ProfileQueued) => void) {
    this.#settings = settings
    this.#fastify = fastify
    this.#queued = queued
  }

  /** @throws DogslowError `GEORDI_DOGSLOW_OPTION_INVALID` where `'auto'` has nobody to turn to. */
  check (): void {
    if (this.#settings.profile === 'auto' && this.#submit() === undefined) {
      throw new DogslowError('GEORDI_DOGSLOW_OPTION_INVALID', 'Option `profile: \'auto\'` needs @geordi/fastify, registered on the same app; or give it a function that queues a request.')
    }
  }

  /** Only what can be asked again without harm: a replay runs besides the request itself. */
  offer (request: FastifyRequest, report: string): void {
    const submit = this.#submit()
    if (submit === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return
    const giveBack = this.#take(request)
    if (giveBack === undefined) return
    const { method } = request
    // Later, because the main thread may be interrupted right now.
    Promise.resolve().then(() => submit(request)).then(({ id, url }) => {
      this.#complained = false
      this.#queued({ type: 'profile', report, time: new Date().toISOString(), summary: `${method} ${request.routeOptions.url ?? ''} is queued for profiling: ${url}`, id, url })
    }).catch((error: unknown) => {
      giveBack()
      if (!this.#complained) request.log.error({ err: error }, 'dogslow could not queue a request for profiling; it tries again with the next slow one, and tells no more until one is queued')
      this.#complained = true
    })
  }

  #submit (): SubmitProfile | undefined {
    const { profile } = this.#settings
    if (profile === 'off') return undefined
    if (typeof profile === 'function') return profile
    const geordi = (this.#fastify as { geordi?: GeordiDecoration }).geordi
    return geordi === undefined ? undefined : request => geordi.profile(request)
  }

  /** Takes one of a route's turns. @returns What gives it back; `undefined` where none is left. */
  #take ({ method, routeOptions: { url = '' } }: FastifyRequest): (() => void) | undefined {
    const now = performance.now()
    const key = `${method} ${url}`
    const recent = (this.#recent.get(key) ?? []).filter(time => now - time < HOUR)
    if (recent.length >= this.#settings.profilesPerHour) return undefined
    this.#recent.set(key, [...recent, now])
    return () => { this.#recent.set(key, this.#recent.get(key)!.filter(time => time !== now)) }
  }
}
