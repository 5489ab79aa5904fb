import type { FastifyBaseLogger } from 'fastify'
import { DogslowError } from './errors.ts'
import type { DirectLog } from './messages.ts'
import type { DogslowSettings, SentrySdk } from './options.ts'
import type { DogslowEvent } from './report.ts'
import { sentrySink } from './sinks/sentry.ts'
import { renderText } from './text.ts'

/** The sinks that are the main thread's: the app's logger, its Sentry, its functions. */
export class MainSinks {
  readonly #log: FastifyBaseLogger | undefined
  readonly #sinks: ReadonlyArray<readonly [name: string, send: (event: DogslowEvent) => unknown]>
  readonly #complain: (sink: string, error: unknown) => void

  constructor ({ log, report }: DogslowSettings, logger: FastifyBaseLogger, sentry: SentrySdk | undefined) {
    this.#log = log ? logger : undefined
    this.#complain = (sink, error) => { logger.error({ err: error }, `dogslow's sink \`${sink}\` failed`) }
    this.#sinks = [
      ...sentry === undefined ? [] : [['sentry', sentrySink(sentry)] as const],
      ...report.map(send => ['report', send] as const)
    ]
  }

  pass (event: DogslowEvent, logged: boolean): void {
    if (this.#log !== undefined && !logged) this.#write(this.#log, event)
    for (const [name, send] of this.#sinks) {
      try {
        const sent = send(event)
        if (sent instanceof Promise) sent.catch((error: unknown) => this.#complain(name, error))
      } catch (error) {
        this.#complain(name, error)
      }
    }
  }

  problem (sink: string, message: string): void {
    this.#complain(sink, new Error(message))
  }

  #write (log: FastifyBaseLogger, event: DogslowEvent): void {
    // Which minds no closed stream: an error of `process.stderr` would end the app.
    if (isSilent(log)) console.error(renderText(event))
    else if (event.type === 'report' || event.type === 'digest') log.warn({ dogslow: event }, event.summary)
    else log.info({ dogslow: event }, event.summary)
  }
}

/** @throws DogslowError `GEORDI_DOGSLOW_PACKAGE_MISSING` */
export async function loadSentry ({ sentry }: DogslowSettings): Promise<SentrySdk | undefined> {
  if (typeof sentry !== 'boolean') return sentry
  return sentry ? await importOptional('@sentry/node', 'sentry', () => import('@sentry/node')) : undefined
}

/** @throws DogslowError `GEORDI_DOGSLOW_PACKAGE_MISSING` */
export async function importOptional<Module> (name: string, option: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    throw new DogslowError('GEORDI_DOGSLOW_PACKAGE_MISSING', `dogslow's option \`${option}\` needs the package ${name}: npm install ${name}`, { cause })
  }
}

/** How the watcher can write to the app's log by itself. */
export function directLog ({ log }: DogslowSettings, logger: FastifyBaseLogger): DirectLog | undefined {
  if (!log) return undefined
  if (isSilent(logger)) return { fd: 2, json: undefined, again: false }
  if ((logger as { isLevelEnabled?: (level: string) => boolean }).isLevelEnabled?.('warn') === false) return undefined
  const fd = descriptorOf(logger)
  // A stream of the app's own: it gets the report when the main thread is free, and the terminal has it at once.
  if (fd === undefined) return { fd: 2, json: undefined, again: true }
  return { fd, json: (logger as { bindings?: () => Record<string, unknown> }).bindings?.() ?? {}, again: false }
}

/** An app without a logger has one that does nothing. */
function isSilent (logger: FastifyBaseLogger): boolean {
  return !('bindings' in logger) && logger.level === undefined
}

/** The descriptor that pino writes to, where it is a plain one. */
function descriptorOf (logger: object): number | undefined {
  for (let object: object | null = logger; object !== null; object = Object.getPrototypeOf(object) as object | null) {
    const symbol = Object.getOwnPropertySymbols(object).find(({ description }) => description === 'pino.stream')
    if (symbol === undefined) continue
    const { fd, constructor: { name } } = Reflect.get(object, symbol) as { fd?: unknown, constructor: { name: string } }
    return typeof fd === 'number' && fd >= 0 && name === 'SonicBoom' ? fd : undefined
  }
  return undefined
}
