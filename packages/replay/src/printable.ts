/** What ends a line, moves a terminal's cursor, or turns the direction of what follows; and halves of letters. */
const UNSAFE = /(?!\t)[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** A stranger's text as it may stand in a line of a log: on that line, and over nothing else of it. */
export function printable (text: string): string {
  return text.replace(UNSAFE, '\ufffd')
}
