/** The text of a script, with the means to go between V8's places and offsets. */
export class Script {
  readonly text: string
  #lines: number[] | undefined
  #statements: number[] | undefined

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
    const line = lastUpTo(starts, offset)
    return { line: line + 1, column: offset - (starts[line] as number) + 1 }
  }

  /**
   * The stretch around an offset that begins at the margin and ends before the next line that does: a statement of the top level, as people
   * and bundlers lay code out. Where they don't, it isn't a statement, and can't be parsed.
   */
  statementAround (offset: number): { start: number, end: number } {
    this.#statements ??= [0, ...this.#lineStarts().filter(start => start > 0 && BEGINNING.has(this.text.charAt(start)))]
    const at = lastUpTo(this.#statements, offset)
    return { start: this.#statements[at] as number, end: this.#statements[at + 1] ?? this.text.length }
  }

  #lineStarts (): number[] {
    this.#lines ??= startsOfLines(this.text)
    return this.#lines
  }
}

/** What ends a line for V8 (String::CalculateLineEnds): nearly always a line feed, and that alone is found in half the time. */
function startsOfLines (text: string): number[] {
  const starts = [0]
  if (['\r', '\u2028', '\u2029'].some(end => text.includes(end))) {
    for (const { index, 0: end } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(index + end.length)
  } else {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  }
  return starts
}

/** Which of some rising numbers is the last that isn't above a limit; the first one, where all are. */
function lastUpTo (numbers: readonly number[], limit: number): number {
  let low = 0
  let high = numbers.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (numbers[middle] as number <= limit) low = middle
    else high = middle
  }
  return low
}

/** How a line may begin at which a statement does; what closes or continues one begins otherwise. */
const BEGINNING = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$@!;(["\'`{/')
