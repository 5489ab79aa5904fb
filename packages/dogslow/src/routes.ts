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
  readonly #patterns: ReadonlyArray<RegExp>
  /** Routes that are to be ignored: found out when they are added, because no regular expression may run while one is interrupted. */
  readonly #ignored = new Set<string>()
  readonly #known = new Map<unknown, readonly number[]>()
  #lowest: number
  #unwatched: string | undefined

  constructor (settings: DogslowSettings) {
    this.#settings = settings
    this.#lowest = settings.thresholds[0]!
    this.#patterns = settings.ignore.filter(item => typeof item === 'string').map(pattern =>
      new RegExp(`^${pattern.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`))
  }

  /** @throws DogslowError `GEORDI_DOGSLOW_OPTION_INVALID` for a wrong `config.dogslow` */
  add ({ method, url, config }: Pick<RouteOptions, 'method' | 'url' | 'config'>): void {
    if (this.#patterns.some(pattern => pattern.test(url))) this.#ignored.add(url)
    const setting = config?.dogslow
    if (setting === undefined || setting === false) return
    const thresholds = readThreshold(setting, `\`config.dogslow\` of ${String(method)} ${url}`)
    this.#known.set(setting, thresholds)
    this.#lowest = Math.min(this.#lowest, thresholds[0]!)
  }

  /** Leaves all alone whose address begins so. */
  ignorePrefix (prefix: string): void {
    this.#unwatched = prefix
  }

  /** The lowest threshold of all. */
  get lowest (): number {
    return this.#lowest
  }

  of ({ originalUrl, routeOptions: { url, config } }: FastifyRequest): readonly number[] {
    const setting = config?.dogslow
    if (this.#unwatched !== undefined && originalUrl.startsWith(this.#unwatched)) return NONE
    if (setting === false || (url !== undefined && this.#ignored.has(url))) return NONE
    return setting === undefined ? this.#settings.thresholds : this.#known.get(setting) ?? this.#settings.thresholds
  }
}
