import { Worker } from 'node:worker_threads'
import { ReportError } from '../errors.ts'
import type { PlacedGraph, SizedGraph } from './graph.ts'

/** What the thread is sent. */
export interface LayoutQuestion { readonly graph: SizedGraph }

/** What it answers. */
export type LayoutAnswer = { readonly placed: PlacedGraph } | { readonly failure: string }

/** The one thread, kept because loading Graphviz costs more than most layouts do. */
let warm: Worker | undefined

/** Layouts wait for each other: one thread lays out one graph at a time, and its time limit must not run while it waits. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Starts the thread that reports are laid out in, so that it loads Graphviz while the profile is still being read or the graph built. Not needed, and
 * harmless to call more than once.
 */
export function startLayoutThread (): void {
  warm ??= startThread()
}

/**
 * Lays out a graph with Graphviz's dot in a thread of its own, which is kept for the next one but doesn't keep the process alive.
 *
 * @param timeLimit Milliseconds that it may take, without the time it waits for other layouts.
 * @throws {ReportError} `GEORDI_REPORT_LAYOUT_TIMEOUT` past the limit, `GEORDI_REPORT_LAYOUT_FAILED` where Graphviz fails.
 */
export function layoutGraph (graph: SizedGraph, timeLimit: number): Promise<PlacedGraph> {
  const result = last.then(() => layoutNow(graph, timeLimit))
  last = result.catch(() => {})
  return result
}

async function layoutNow (graph: SizedGraph, timeLimit: number): Promise<PlacedGraph> {
  if (graph.boxes.length === 0) return { width: 0, height: 0, boxes: [], links: [] }
  const worker = warm ??= startThread()
  worker.ref()
  try {
    const answer = await ask(worker, { graph }, timeLimit)
    if ('placed' in answer) return answer.placed
    throw new ReportError('GEORDI_REPORT_LAYOUT_FAILED', `Graphviz couldn't lay out the graph: ${answer.failure}`)
  } catch (error) {
    // A thread that is late or broken is not used again; after a layout that failed, Graphviz's memory may be in disorder too.
    warm = undefined
    await worker.terminate()
    throw error
  } finally {
    worker.unref()
  }
}

function startThread (): Worker {
  // Not `.ts`: TypeScript rewrites import specifiers only. No flags and preloads of the process's own are wanted there.
  // Graphviz prints warnings: they are no business of the process's own output.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { execArgv: [], env: {}, stdout: true, stderr: true })
  // A thread may also end between two layouts (out of memory), and an `error` that nobody hears would end the process.
  const forget = () => { if (warm === worker) warm = undefined }
  worker.on('error', forget).on('exit', forget)
  // Between two layouts nothing is under way there: a process that is done must be able to end.
  worker.unref()
  return worker
}

function ask (worker: Worker, question: LayoutQuestion, timeLimit: number): Promise<LayoutAnswer> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => settle(() => reject(
      new ReportError('GEORDI_REPORT_LAYOUT_FAILED', `The thread that lays out graphs ended: ${String(cause)}`, { cause })))
    const exited = (code: number) => failed(`exit code ${code}`)
    const answered = (answer: LayoutAnswer) => settle(() => resolve(answer))
    // When this thread was blocked itself, an answer may be waiting behind the timer: it is let in first.
    const late = () => settle(() => reject(
      new ReportError('GEORDI_REPORT_LAYOUT_TIMEOUT', `Laying out the graph took longer than ${timeLimit} ms: draw fewer functions.`)))
    const timer = setTimeout(() => setImmediate(late), timeLimit)
    let settled = false
    const settle = (finish: () => void) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      worker.off('error', failed).off('exit', exited).off('message', answered)
      finish()
    }
    worker.on('error', failed).on('exit', exited).on('message', answered)
    worker.postMessage(question)
  })
}
