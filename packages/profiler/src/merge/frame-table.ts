import type { Frame } from '@geordi/profile'
import type { StackTable } from '@geordi/waits'

type RecordedFunction = StackTable['functions'][number]

/** So far right of a function's first character V8's profiler may put it: it tells where the parameters begin. */
const SLACK = 24

/** The frames of a profile, and those that only the recorded stacks know of. */
export class FrameTable {
  readonly frames: Frame[]
  readonly #byLine = new Map<string, number[]>()
  readonly #markers = new Map<string, number>()

  constructor (frames: readonly Frame[]) {
    this.frames = [...frames]
    frames.forEach((frame, index) => {
      if (frame.url === '') this.#markers.set(frame.name, index)
      else this.#atLine(frame.url, frame.line).push(index)
    })
  }

  /** The frame of a function in a recorded stack: stacks tell where it begins, profiles where its parameters do. */
  ofFunction ([name, url, line, column]: RecordedFunction): number {
    const candidates = this.#atLine(url, line)
    let best: number | undefined
    let distance = Infinity
    for (const index of candidates) {
      const frame = this.frames[index] as Frame
      const offset = frame.column - column
      const isNamed = frame.name === name || frame.name.endsWith(`.${name}`)
      // A name alone may repeat on a line, and a place alone may be the function around it.
      if (offset < 0 || offset >= distance || (offset > 0 && !isNamed) || offset > SLACK + name.length) continue
      best = index
      distance = offset
    }
    if (best !== undefined) return best
    candidates.push(this.frames.length)
    return this.frames.push({ name, url, line, column }) - 1
  }

  /** A frame without a place, such as `(idle)`. */
  marker (name: string): number {
    let index = this.#markers.get(name)
    if (index === undefined) this.#markers.set(name, index = this.frames.push({ name, url: '', line: 0, column: 0 }) - 1)
    return index
  }

  #atLine (url: string, line: number): number[] {
    const key = `${line} ${url}`
    let indices = this.#byLine.get(key)
    if (indices === undefined) this.#byLine.set(key, indices = [])
    return indices
  }
}
