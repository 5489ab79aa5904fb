import type { SentrySdk } from '../options.ts'
import type { DogslowEvent, Frame, Report } from '../report.ts'
import { renderText } from '../text.ts'

/** Gives reports to Sentry's SDK. */
export function sentrySink (sdk: SentrySdk): (event: DogslowEvent) => void {
  return event => {
    if (event.type === 'report') sdk.captureEvent(toSentry(event))
  }
}

function toSentry (report: Report): object {
  const [request] = report.requests
  return {
    level: report.kind === 'waiting' ? 'warning' : 'error',
    message: report.summary,
    fingerprint: ['dogslow', report.fingerprint],
    timestamp: Date.parse(report.time) / 1000,
    ...request?.route === undefined ? {} : { transaction: `${request.method} ${request.route}` },
    tags: { dogslow: report.kind },
    // Sentry takes no more than 200 kB of one event.
    extra: { report: renderText(report).slice(0, 50_000), ...request?.link === undefined ? {} : { profile: request.link } },
    exception: { values: [{ type: 'SlowRequest', value: report.summary, mechanism: { type: 'dogslow', handled: true }, stacktrace: { frames: report.stack.map(toFrame).reverse() } }] }
  }
}

function toFrame ({ function: name, file, line, column, of, source }: Frame): object {
  return {
    function: name,
    in_app: of === 'app',
    ...file === undefined ? {} : { filename: file },
    ...line === undefined ? {} : { lineno: line },
    ...column === undefined ? {} : { colno: column },
    ...source === undefined ? {} : { context_line: source }
  }
}
