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

  /** The last lines; '' when it has said nothing. */
  get text (): string {
    return this.#kept.toString().trim()
  }
}
