import fastifyPlugin from 'fastify-plugin'
import { dogslowPlugin } from './plugin.ts'

/**
 * Fastify plugin: a request that takes longer than a threshold is reported while it still runs, with what it waits for or where it
 * blocks the main thread. Register it first, and await it:
 *
 * ```ts
 * await app.register(dogslow, { threshold: 25_000 })
 * ```
 *
 * Hooks and routes that are there before it are watched too, but their code can't be told from other requests'.
 *
 * @throws DogslowError
 */
export const dogslow = fastifyPlugin(dogslowPlugin, { fastify: '5.x', name: '@geordi/dogslow' })
export default dogslow

// Options
export type { DogslowOptions, FileSink, FunctionSink, MailSink, NotedWaits, SentrySdk, SubmitProfile, Threshold, WebhookSink } from './options.ts'

// What sinks are given
export type { BlockingCall, Digest, DogslowEvent, Frame, ProcessState, ProfileQueued, Report, ReportKind, RequestEnd, RequestState, UnassignedWait, Wait } from './report.ts'
export { renderText } from './text.ts'

// Errors
export { DogslowError, type DogslowErrorCode } from './errors.ts'
