import type { Canvas } from '../canvas/canvas.ts'
import { type Content, COUNTED, samplesInWords, whyEmpty, whyPartial } from '../content.ts'
import { titleOf } from '../names.ts'
import { formatBytes, formatCount, formatMoment, formatShare, formatTime, plural } from '../numbers.ts'
import { wrap, wrapWithin } from '../text.ts'
import { theme } from '../theme.ts'
import { countAll } from '../waits/counts.ts'
import { drawFindings } from './findings.ts'
import { footer, noteBox } from './parts.ts'
import { drawTopFunctions } from './top-functions.ts'
import { drawWallTime } from './wall-time.ts'

const { margin, width: pageWidth, height: pageHeight } = theme.page
const width = pageWidth - 2 * margin

const TITLE_LINES = 3
const FACT_LINES = 2

/** Of the first page; what else it tells wants room, too. */
const MOST_FINDINGS_HEIGHT = 290

/** The first page: what was asked, where the wall time went, and the functions that took the most. */
export function drawSummary (canvas: Canvas, content: Content): void {
  canvas.addPage('Summary', pageWidth, pageHeight)
  let y = drawTitle(canvas, content)
  const partial = whyPartial(content)
  if (partial !== undefined) {
    y = noteBox(canvas, wrap(partial, width - 24, canvas.measurer('bold', theme.text.body)), margin, y + 8, width, 'bold')
  }
  y = drawFindings(canvas, content, margin, y + 8, width, MOST_FINDINGS_HEIGHT)
  y = drawFacts(canvas, content, y + 10)
  y = drawWallTime(canvas, content, margin, y + 4, width)
  const notes = [...content.notes, ...remark(content)].flatMap(note => wrap(note, width - 24, canvas.measurer('regular', theme.text.body)))
  if (notes.length > 0) y = noteBox(canvas, notes, margin, y + 4, width) + 10
  drawTopFunctions(canvas, content, margin, y + 4, width, pageHeight - 36)
  footer(canvas, pageWidth, pageHeight, 'Summary')
}

function drawTitle (canvas: Canvas, { profile: { run }, wall }: Content): number {
  const size = theme.text.title
  const what = run.request === undefined ? 'CPU profile' : 'Profile of one request'
  canvas.text(`Geordi · ${what}`, margin, margin + 6, { size: theme.text.small, colour: theme.muted })
  const measure = canvas.measurer('bold', size)
  let y = margin + 10
  for (const line of wrapWithin(titleOf(run), width, TITLE_LINES, measure)) canvas.text(line, margin, y += size * 1.25, { font: 'bold', size })
  const answer = run.response === undefined || run.ended !== undefined
    ? `${formatTime(wall.time)} recorded${run.ended === undefined ? '' : ', until it ended early'}`
    : `Answered ${run.response.statusCode} in ${formatTime(wall.time)}`
  canvas.text(answer, margin, y += 17, { size: theme.text.heading, colour: theme.muted })
  return y
}

/** What is known of the run, in the order of a reader's questions. */
function facts (content: Content): Array<readonly [string, string]> {
  const { profile: { run }, graph: { times }, recording: { waits } } = content
  const { request, response, process, profiler } = run
  const list: Array<readonly [string, string]> = []
  if (request?.capturedAt !== undefined) list.push(['Captured', formatMoment(request.capturedAt)])
  if (request?.by !== undefined) list.push(['Asked by', request.by])
  if (response !== undefined) {
    const body = [response.bytes === undefined ? '' : formatBytes(response.bytes), response.contentType?.replace(/;.*/s, '') ?? '']
    list.push(['Answer', [String(response.statusCode), ...body.filter(text => text !== '')].join(' · ')])
  }
  if (process?.app !== undefined) list.push(['Application', process.app])
  if (process !== undefined) list.push(['Host', `${process.hostname}, process ${process.pid}`], ['Node.js', process.node])
  // What a warm web process has behind it is in these times: modules loaded, code optimised, caches and connections filled.
  if (request !== undefined && process !== undefined) list.push(['Replayed in', 'a fresh process: first calls cost more'])
  if (profiler !== undefined) {
    const widened = profiler.widest === undefined ? '' : `, in the end every ${formatTime(profiler.widest)}: a long run`
    list.push(['Profiler', `${profiler.engine}, every ${formatTime(profiler.interval)} if it can${widened}`])
  }
  list.push(['Samples', samplesInWords(content, 'all')])
  if (times.busy > 0) list.push(['Busy', `${formatTime(times.busy)} of ${formatTime(times.sampled)} sampled`])
  if (waits !== undefined) list.push(['Waits', `${formatCount(countAll(waits))}; recording took at least ${formatTime(recordingTime(content))}`])
  return list
}

/** As the profiler saw it, or the recorder measured itself: the latter leaves out what it can't see, the former misses what is short. What code is slower for is in neither. */
function recordingTime ({ recording: { waits }, wall }: Content): number {
  return Math.max(waits?.recording.cost ?? 0, wall.parts.find(({ part }) => part === 'recording')?.time ?? 0)
}

function drawFacts (canvas: Canvas, content: Content, top: number): number {
  const columns = 3
  const column = width / columns
  const [rowHeight, lineHeight] = [24, 10]
  const measure = canvas.measurer('regular', theme.text.body)
  const list = facts(content).map(([label, value]) => ({ label, lines: wrapWithin(value, column - 12, FACT_LINES, measure) }))
  let y = top
  for (let first = 0; first < list.length; first += columns) {
    const row = list.slice(first, first + columns)
    row.forEach(({ label, lines }, at) => {
      const x = margin + at * column
      canvas.text(label, x, y + 8, { size: theme.text.small, colour: theme.muted })
      lines.forEach((line, below) => canvas.text(line, x, y + 18 + below * lineHeight, { size: theme.text.body }))
    })
    y += rowHeight + (Math.max(1, ...row.map(({ lines }) => lines.length)) - 1) * lineHeight
  }
  return y
}

/** What the graph can't show, in words: that it stands for a small part of the time, or is empty. */
function remark (content: Content): string[] {
  const empty = whyEmpty(content)
  if (empty !== undefined) return [empty]
  const { times, options: { time } } = content.graph
  if (content.recording.waits !== undefined) {
    if (time !== 'wall' || times.idle <= times.total / 2) return []
    return [`For ${formatShare(times.idle / times.total)} of the ${COUNTED.wall} nothing ran, and it isn't known what was waited for.`]
  }
  if (times.idle <= times.busy) return []
  return [`The thread was idle for ${formatShare(times.idle / times.sampled)} of the sampled time, waiting for input, output or timers. ` +
    `The functions below and the call graph explain the other ${formatTime(times.busy)} (${plural(times.busySamples, 'sample')}).`]
}
