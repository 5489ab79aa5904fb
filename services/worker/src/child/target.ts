import type { Server } from 'node:net'
import { speaksHttp, type Instance, type ListeningServer } from './listen.ts'

/** Nothing new for this long (in milliseconds): the app has opened what it opens. */
const SETTLE = 200
/** What does not listen for this long (in milliseconds) after the first server is not going to. */
const PATIENCE = 10_000

/**
 * Which of an app's servers gets the request. The one with the plugin, as soon as it listens. Where there is
 * none, the choice waits until the app has opened them all: a server for metrics often comes first.
 */
export class Target {
  readonly instances: Instance[] = []
  readonly #routes = new Map<Instance, number>()
  readonly #listening: ListeningServer[] = []
  readonly #chosen: () => void
  #attached: Server | undefined
  #evaluated = false
  #settled = false
  #timer: NodeJS.Timeout | undefined
  #first = 0

  /** @param chosen Called when there is a server, and each time it becomes another one. */
  constructor (chosen: () => void) {
    this.#chosen = chosen
  }

  /** The server to send the request to, as far as is known. */
  get server (): ListeningServer | undefined {
    if (this.#attached !== undefined) return this.#listening.find(({ server }) => server === this.#attached)
    if (!this.#settled) return undefined
    // Of Fastify's, the one with the most routes; where that says nothing, metrics and health checks came first.
    const instances = this.instances.filter(instance => this.#listens(instance))
    const most = Math.max(...instances.map(instance => this.#routes.get(instance) ?? 0))
    const main = instances.findLast(instance => (this.#routes.get(instance) ?? 0) === most)
    return this.#listening.find(({ server }) => server === main?.server) ?? this.#listening[0]
  }

  /** Whether any server that could take a request listens. */
  get opened (): boolean {
    return this.#listening.length > 0
  }

  attach (server: Server): void {
    this.#attached = server
    this.#look()
  }

  created (instance: Instance): void {
    this.instances.push(instance)
    instance.addHook('onRoute', () => { this.#routes.set(instance, 1 + (this.#routes.get(instance) ?? 0)) })
    this.#look()
  }

  listening (server: ListeningServer): void {
    if (!speaksHttp(server.server)) return
    if (this.#listening.push(server) === 1) this.#first = performance.now()
    this.#look()
  }

  /** The entry's own top level has run to its end. */
  evaluated (): void {
    this.#evaluated = true
    this.#look()
  }

  #look (): void {
    if (this.#attached !== undefined) {
      // The listeners of the app's own `listen()` come first.
      if (this.server !== undefined) setImmediate(this.#chosen)
      return
    }
    clearTimeout(this.#timer)
    if (this.#listening.length > 0) this.#timer = setTimeout(() => this.#settle(), SETTLE)
  }

  #settle (): void {
    const starting = !this.#evaluated || this.instances.some(instance => !this.#listens(instance))
    if (starting && performance.now() - this.#first < PATIENCE) return this.#look()
    this.#settled = true
    if (this.server !== undefined) this.#chosen()
  }

  #listens (instance: Instance): boolean {
    return this.#listening.some(({ server }) => server === instance.server)
  }
}
