import { appendFileSync, renameSync, rmSync, statSync } from 'node:fs'
import type { FileSink } from '../options.ts'
import type { DogslowEvent } from '../report.ts'

/** Appends events to a file. Synchronously: the thread has nothing better to do, and a process that is being killed loses nothing. */
export function fileSink ({ path, maxBytes, files }: Required<FileSink>): (event: DogslowEvent) => void {
  let isTorn = false
  return event => {
    const line = `${JSON.stringify(event)}\n`
    if (sizeOf(path) + Buffer.byteLength(line) > maxBytes) {
      rotate(path, files)
      isTorn = false
    }
    const before = sizeOf(path)
    try {
      appendFileSync(path, isTorn ? `\n${line}` : line)
      isTorn = false
    } catch (error) {
      // A disk that fills up takes part of a line; the next one is not to be lost with it.
      isTorn ||= sizeOf(path) > before
      throw error
    }
  }
}

function rotate (path: string, files: number): void {
  if (sizeOf(path) === 0) return
  for (let number = files - 1; number > 0; number--) {
    const older = number === 1 ? path : `${path}.${number - 1}`
    try {
      renameSync(older, `${path}.${number}`)
    } catch (error) {
      // Not so many files yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  if (files === 1) rmSync(path)
}

function sizeOf (path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
