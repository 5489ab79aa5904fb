import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { LIMITS } from '../src/watcher.ts'
import { temporaryFolder } from './support.ts'

/** Says which files have a map. */
const READ = `
  const { parentPort, workerData: { sources, paths } } = require('node:worker_threads')
  import(sources).then(({ Sources }) => {
    const known = new Sources()
    parentPort.postMessage(paths.map(path => known.original(path, 1, 1) !== undefined))
  })`

test('source maps are read, but none that would fill the thread\'s memory; neither do many of them', async t => {
  const folder = await temporaryFolder(t)
  const write = (name: string, lines: number) => {
    const path = join(folder, `${name}.js`)
    writeFileSync(path, `code()\n//# sourceMappingURL=${name}.js.map\n`)
    writeFileSync(`${path}.map`, JSON.stringify({ version: 3, sources: [`${name}.ts`], names: [], mappings: `AAAA${';AACA'.repeat(lines)}` }))
    return path
  }
  const large = Array.from({ length: 10 }, (_value, number) => write(`large${number}`, 200_000))
  const paths = [write('small', 10), write('huge', 1_000_000), ...large]
  const thread = new Worker(READ, { eval: true, workerData: { sources: new URL('../src/watcher/sources.js', import.meta.url).href, paths }, resourceLimits: LIMITS })
  assert.deepEqual(await once(thread, 'message'), [[true, false, ...large.map(() => true)]])
})
