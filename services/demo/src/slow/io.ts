import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Stopwatch } from '../stopwatch.ts'

/** Writes a file for each of these texts and reads them all again: two synchronous and two asynchronous operations each. One file would do. */
export async function keepInFiles (texts: readonly string[], files: number) {
  const folder = await mkdtemp(join(tmpdir(), 'geordi-demo-'))
  try {
    const blocking = new Stopwatch()
    blocking.start()
    const written = writeFiles(folder, texts, files)
    blocking.stop()
    const waiting = new Stopwatch()
    waiting.start()
    const bytes = await readFiles(written)
    waiting.stop()
    return { files, bytes, synchronous: 2 * files, asynchronous: 2 * files, blocked: blocking.milliseconds, waited: waiting.milliseconds }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function writeFiles (folder: string, texts: readonly string[], files: number): string[] {
  const paths: string[] = []
  for (let i = 0; i < files; i++) {
    const path = join(folder, `${i}.txt`)
    if (!existsSync(path)) writeFileSync(path, texts[i % texts.length] ?? '')
    paths.push(path)
  }
  return paths
}

async function readFiles (paths: readonly string[]): Promise<number> {
  let bytes = 0
  for (const path of paths) {
    const { size } = await stat(path)
    const content = await readFile(path)
    bytes += Math.min(size, content.length)
  }
  return bytes
}
