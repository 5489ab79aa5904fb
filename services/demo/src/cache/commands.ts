/** The client broke the protocol; there is no way to go on. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const longestLine = 64
const mostWords = 64
const longestWord = 1024 * 1024

/**
 * Reads commands as Redis's clients send them (RESP: `*2`, `$3`, `GET`, `$4`, `name`, each line ended by CR LF), however
 * they are cut into chunks. Gives the commands that a chunk completes.
 *
 * @throws ProtocolError when it is no such command, or too large for this little server
 */
export function createCommandReader (): (chunk: Buffer) => string[][] {
  let rest: Buffer = Buffer.alloc(0)
  return chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const commands: string[][] = []
    for (let command = readCommand(rest); command; command = readCommand(rest)) {
      commands.push(command.words)
      rest = rest.subarray(command.end)
    }
    return commands
  }
}

/** The command that the bytes begin with; null when it isn't complete. */
function readCommand (bytes: Buffer): { words: string[], end: number } | null {
  const count = readNumber(bytes, 0, '*', mostWords)
  if (!count) return null
  const words: string[] = []
  let { end } = count
  while (words.length < count.value) {
    const length = readNumber(bytes, end, '$', longestWord)
    if (!length || bytes.length < length.end + length.value + 2) return null
    words.push(bytes.toString('utf8', length.end, length.end + length.value))
    end = length.end + length.value + 2
  }
  return { words, end }
}

function readNumber (bytes: Buffer, at: number, sign: string, maximum: number): { value: number, end: number } | null {
  const end = bytes.indexOf('\r\n', at)
  if (end < 0 && bytes.length - at < longestLine) return null
  const line = bytes.toString('latin1', at, end < 0 ? at + longestLine : end)
  const value = /^[*$]\d{1,9}$/.test(line) ? Number(line.slice(1)) : NaN
  if (!line.startsWith(sign) || !(value <= maximum)) throw new ProtocolError(`Expected ${sign} and a number up to ${maximum}`)
  return { value, end: end + 2 }
}
