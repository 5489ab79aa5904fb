import type { FastifyRequest, RouteOptions } from 'fastify'
import { readThreshold, type DogslowSettings, type Threshold } from './options.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** When dogslow reports requests of the route: milliseconds, or several; `false`: never. */
    dogslow?: Threshold | false
  }
}

const NONE: readonly number[] = Object.freeze([])

/** When requests are reported, by their routes. */
export class RouteThresholds {
  readonly #settings: DogslowSettings
  readonly #ignored: ReadonlyArray<RegExp>
  readonly #known = new Map<unknown, readonly number[]>()
  #lowest: number

  constructor (settings: DogslowSettings) {
    this.#settings = settings
    this.#lowest = settings.thresholds[0]!
    this.#ignored = settings.ignore.filter(item => typeof item === 'string').map(pattern =>
      new RegExp(`^${pattern.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`))
  }

  /** @throws DogslowError `GEORDI_DOGSLOW_OPTION_INVALID` for a wrong `config.dogslow` */
  add ({ method, url, config }: Pick<RouteOptions, 'method' | 'url' | 'config'>): void {
    const setting = config?.dogslow
    if (setting === undefined || setting === false) return
    const thresholds = readThreshold(setting, `\`config.dogslow\` of ${String(method)} ${url}`)
    this.#known.set(setting, thresholds)
    this.#lowest = Math.min(this.#lowest, thresholds[0]!)
  }

  /** The lowest threshold of all. */
  get lowest (): number {
    return this.#lowest
  }

  of ({ routeOptions: { url, config } }: FastifyRequest): readonly number[] {
    const setting = config?.dogslow
    if (setting === false || (url !== undefined && this.#ignored.some(pattern => pattern.test(url)))) return NONE
    return setting === undefined ? this.#settings.thresholds : this.#known.get(setting) ?? this.#settings.thresholds
  }
}
