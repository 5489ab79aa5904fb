type Write = NodeJS.WriteStream['write']
type AnyWrite = (this: unknown, ...args: unknown[]) => boolean

/** What was written in the box; undefined outside of one that can be interrupted. */
let kept: Array<() => void> | undefined

/**
 * Calls a function and has what it writes to the standard streams written when it has come to its end. A stream that is
 * interrupted in the middle of a write would wait for the end of that write for ever: nothing that the process prints
 * after that would come out.
 */
export function keepingOutput<T> (run: () => T): T {
  if (kept !== undefined) return run()
  kept = []
  const restored = [keep(process.stdout), keep(process.stderr)]
  try {
    return run()
  } finally {
    for (const restore of restored) restore()
    writeKept()
  }
}

/** For a process that exits in the box, too. */
export function writeKept (): void {
  const writes = kept ?? []
  kept = undefined
  for (const write of writes) write()
}

function keep (stream: NodeJS.WriteStream): () => void {
  const isOwn = Object.hasOwn(stream, 'write')
  const original = stream.write as AnyWrite
  const replacement: AnyWrite = function (this: unknown, chunk, ...others) {
    // What is no text and no bytes is refused by the stream, before it does anything.
    if (kept === undefined || !(typeof chunk === 'string' || chunk instanceof Uint8Array)) return original.call(this, chunk, ...others)
    const copy = typeof chunk === 'string' ? chunk : Buffer.from(chunk)
    kept.push(() => { original.call(this, copy, ...others) })
    return true
  }
  stream.write = replacement as Write
  return () => {
    // What the body itself has put there stays.
    if (stream.write !== replacement) return
    if (isOwn) stream.write = original as Write
    else Reflect.deleteProperty(stream, 'write')
  }
}
