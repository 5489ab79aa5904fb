import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { decodeText } from '../decode-text.ts'

/** Reads a file's text; fails where there is none. */
export type ReadFile = (path: string) => Promise<string>

/**
 * Reads a file from the disk, if it is one and not too large: the path comes from a profile, and may well be `/dev/zero`.
 *
 * @param limit Bytes.
 */
export async function readRegularFile (path: string, limit: number): Promise<string> {
  // Opening a named pipe would else wait for its writer; Windows doesn't know the flag.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(reason)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is no regular file')
    if (stats.size > limit) throw new Error(`it has ${stats.size} bytes, more than the ${limit} that are looked at`)
    return decodeText(await file.readFile())
  } finally {
    await file.close()
  }
}

function reason (error: NodeJS.ErrnoException): never {
  throw new Error(error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'it isn\'t there' : `it can't be read (${error.code ?? error.message})`)
}

/** The path of a `file:` URL; `undefined` for other URLs, and for those that name no path on this machine. */
export function pathOf (url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined
  try {
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}
