import { renderBlame } from './blame.ts'
import { highlightSource } from './highlight.ts'
import type { FileRow } from '../store.ts'

/** What was got through. */
export interface Annotations {
  /** CPU time used, in milliseconds. */
  cpuMs: number
  /** How many times a file was annotated; files come round again. */
  files: number
  lines: number
  /** Characters of HTML made. */
  characters: number
}

/** Annotates files, one after the other, until `ms` milliseconds of CPU time are used. Blocks: nothing here waits. */
export function annotateUntil (files: readonly FileRow[], ms: number): Annotations {
  const start = cpuTime()
  const used = () => cpuTime() - start
  const total = { files: 0, lines: 0, characters: 0 }
  while (files.length > 0 && used() < ms) {
    const file = files[total.files % files.length] as FileRow
    const annotated = annotateFile(file)
    total.files++
    total.lines += annotated.lines
    total.characters += annotated.characters
  }
  return { cpuMs: Math.round(used()), ...total }
}

/** This thread's CPU time in milliseconds; before Node 23.9 the process's, with what V8's helpers and a profiler use. */
function cpuTime (): number {
  const clock: typeof process.cpuUsage = (process as { threadCpuUsage?: typeof process.cpuUsage }).threadCpuUsage ?? process.cpuUsage
  const { user, system } = clock.call(process)
  return (user + system) / 1000
}

function annotateFile (file: FileRow): { lines: number, characters: number } {
  const blame = renderBlame(file, 4)
  const source = highlightSource(blame.map(line => line.text).join('\n'))
  return { lines: blame.length, characters: source.text.length }
}
