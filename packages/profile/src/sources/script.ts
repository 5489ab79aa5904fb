/** The text of a script, with the means to go between V8's places and offsets. */
export class Script {
  readonly text: string
  #lines: number[] | undefined

  /** @param text As in the file; Node takes a byte order mark away before V8 counts. */
  constructor (text: string) {
    this.text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  }

  /** The offset of a place that counts from 1; `undefined` where the text has no such place. */
  offsetOf (line: number, column: number): number | undefined {
    const starts = this.#lineStarts()
    const start = starts[line - 1]
    if (start === undefined || column < 1) return undefined
    const offset = start + column - 1
    return offset < (starts[line] ?? this.text.length + 1) ? offset : undefined
  }

  /** The place of an offset, from 1. */
  placeOf (offset: number): { line: number, column: number } {
    const starts = this.#lineStarts()
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle] as number <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 }
  }

  #lineStarts (): number[] {
    this.#lines ??= startsOfLines(this.text)
    return this.#lines
  }
}

/** What ends a line for V8 (String::CalculateLineEnds): nearly always a line feed, and that alone is found in half the time. */
function startsOfLines (text: string): number[] {
  const starts = [0]
  if (/[\r\u2028\u2029]/.test(text)) {
    for (const { index, 0: end } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(index + end.length)
  } else {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  }
  return starts
}
