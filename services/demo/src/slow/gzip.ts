import { buffer } from 'node:stream/consumers'
import { constants, createGzip } from 'node:zlib'
import { Stopwatch } from '../stopwatch.ts'
import { csvLine } from '../work/csv.ts'
import type { Gzip } from 'node:zlib'
import type { CommitRow } from '../store.ts'

/** A gzipped CSV of the commits; each row is flushed through zlib's thread by itself. Commits come round again if there are fewer. */
export async function exportCommits (commits: readonly CommitRow[], rows: number) {
  const gzip = createGzip()
  const file = buffer(gzip)
  const waiting = new Stopwatch()
  let bytes = 0
  for (let i = 0; i < rows; i++) {
    const line = commitLine(commits[i % commits.length])
    bytes += Buffer.byteLength(line)
    waiting.start()
    await writeRow(gzip, line)
    waiting.stop()
  }
  gzip.end()
  const content = await file
  return { counted: { rows, flushes: rows, bytes, compressedBytes: content.length, waited: waiting.milliseconds }, content }
}

/** Done when the row has come out at the other end. */
function writeRow (gzip: Gzip, line: string): Promise<void> {
  gzip.write(line)
  return new Promise(resolve => gzip.flush(constants.Z_SYNC_FLUSH, resolve))
}

function commitLine (commit: CommitRow | undefined): string {
  return commit === undefined ? '' : csvLine([commit.id, commit.author, commit.message, commit.committedAt.toISOString(), commit.paths.join(' ')])
}
