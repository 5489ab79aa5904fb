import type { DogslowEvent, Frame, Report, RequestState, Wait } from './report.ts'

/** A duration for people. */
export function seconds (milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round(milliseconds % 60_000 / 1000)} s`
}

/** A frame in a sentence. */
export function placeOf ({ function: name, file, line }: Frame): string {
  return file === undefined ? name : `${name} (${file}${line === undefined ? '' : `:${line}`})`
}

/** A size for people. */
export function megabytes (bytes: number | undefined): string {
  return bytes === undefined ? '?' : `${Math.round(bytes / 1e6)} MB`
}

/** An event as a text of several lines, for mails and terminals. */
export function renderText (event: DogslowEvent): string {
  if (event.type === 'digest') return [event.summary, ...event.entries.map(({ what, count, longest }) => `  ${count} × ${what}, the longest ${seconds(longest)}`)].join('\n')
  if (event.type !== 'report') return event.summary
  return renderReport(event)
}

function renderReport (report: Report): string {
  const { host, pid, node, open, eventLoop, memory } = report.process
  const lines = [
    report.summary,
    // Of a request that waits, the waits below have their stacks.
    ...report.stack.length === 0 || report.kind === 'waiting' ? [] : ['', 'Where it stands', ...renderStack(report.stack, '  ')],
    ...report.note === undefined ? [] : ['', report.note],
    ...report.requests.flatMap(request => ['', ...renderRequest(request)]),
    ...report.behind.length === 0 ? [] : ['', 'Waiting behind it', ...report.behind.map(({ method, url, id, duration }) => `  ${`${method} ${url}`.trim()} (${id}), ${seconds(duration)}`)],
    ...report.more === 0 ? [] : [`  and ${report.more} more`],
    ...report.unassigned === undefined || report.unassigned.waits.length === 0 ? [] : ['', ...renderUnassigned(report.unassigned)],
    '',
    `${report.time}  ${host}, process ${pid}, Node ${node}, ${open} open`,
    ...eventLoop === undefined ? [] : [`event loop: ${seconds(eventLoop.delay.mean)} late on average, ${seconds(eventLoop.delay.max)} at most; busy ${Math.round(eventLoop.utilisation * 100)} %`],
    `memory: ${megabytes(memory.rss)}, heap ${megabytes(memory.heapUsed)} of ${megabytes(memory.heapTotal)}, at most ${megabytes(memory.heapLimit)}`,
    `report ${report.id}, fingerprint ${report.fingerprint}`
  ]
  return lines.join('\n')
}

function renderRequest (request: RequestState): string[] {
  return [
    `${`${request.method} ${request.url}`.trim()}`,
    `  request ${request.id}${request.route === undefined ? '' : `, route ${request.route}`}, since ${request.time}, ${seconds(request.duration)}, ${PHASES[request.phase]}`,
    ...request.link === undefined ? [] : [`  profile it: ${request.link}`],
    ...request.pending.flatMap(wait => renderWait(wait, 'waits for', true)),
    ...request.finished.flatMap(wait => renderWait(wait, 'waited for', false))
  ]
}

const PHASES = { receiving: 'its body arrives', hooks: 'in its hooks', handler: 'in its handler', sending: 'being answered' }

function renderWait ({ kind, statement, target, duration, ago, failed, stack }: Wait, verb: string, withStack: boolean): string[] {
  const what = [kind, statement, target].filter(part => part !== '').join(' ')
  const ended = ago === undefined ? '' : `, until ${seconds(ago)} ago${failed === true ? ', when it failed' : ''}`
  return [`  ${verb} ${what} for ${seconds(duration)}${ended}`, ...withStack ? renderStack(stack, '    ') : []]
}

function renderUnassigned ({ waits, more }: NonNullable<Report['unassigned']>): string[] {
  return [
    'Pending, of a request that isn\'t known, because finding out who waits was past its budget',
    ...waits.map(({ kind, statement, target, duration, lastSeen }) => {
      const seen = lastSeen === undefined ? '' : `, last seen in ${placeOf(lastSeen)}`
      return `  ${[kind, statement, target].filter(part => part !== '').join(' ')} for ${seconds(duration)}${seen}`
    }),
    ...more === 0 ? [] : [`  and ${more} ${more === 1 ? 'other' : 'others'}`]
  ]
}

function renderStack (stack: readonly Frame[], indent: string): string[] {
  return stack.flatMap(({ function: name, file, line, column, async, source }) => [
    `${indent}${async === true ? 'async ' : ''}${name}${file === undefined ? '' : ` (${file}:${line}:${column})`}`,
    ...source === undefined ? [] : [`${indent}    ${source}`]
  ])
}
