import type { ChildProcess } from 'node:child_process'

const KEPT = 4096

/** Passes a process's output on and keeps the end of it: what it said last is why it died. */
export class OutputTail {
  #kept = Buffer.alloc(0)

  constructor (child: ChildProcess, output: NodeJS.WritableStream) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output.write(chunk)
        this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-KEPT)
      })
    }
  }

  /** Adds the last lines to an error's message as a paragraph, unless it says the same or there are none. */
  quoteIn<Kind extends Error> (error: Kind): Kind {
    const text = this.#kept.toString().trim()
    if (text !== '' && !error.message.includes(text)) error.message += `\nIts last output:\n${text}`
    return error
  }
}
