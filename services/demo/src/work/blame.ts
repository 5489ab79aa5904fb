import type { FileRow } from '../store.ts'

export interface BlameLine { revision: number, text: string }

type Revision = readonly string[]

/** Who wrote each line of a file: compares each of its revisions with the next one. */
export function renderBlame (file: FileRow, revisions: number): BlameLine[] {
  const history = historyOf(file, revisions)
  let blame: BlameLine[] = (history[0] ?? []).map(text => ({ revision: 0, text }))
  for (let revision = 1; revision < history.length; revision++) {
    const kept = diffRevisions(history[revision - 1] ?? [], history[revision] ?? [])
    blame = carryBlame(blame, history[revision] ?? [], kept, revision)
  }
  return blame
}

/** The file's revisions, the oldest first. They are made up, always the same ones: each one lacks and alters some lines. */
export function historyOf (file: FileRow, revisions: number): Revision[] {
  const lines = file.content.split('\n')
  const history: Revision[] = [lines]
  for (let age = 1; age < revisions; age++) history.unshift(reviseLines(history[0] ?? [], age))
  return history
}

function reviseLines (lines: Revision, age: number): string[] {
  return lines.flatMap((line, index) => {
    const dice = hashLine(line, index + age * 31) % 16
    if (dice === 0) return []
    return dice === 1 ? [`${line} // TODO ${age}`] : [line]
  })
}

function hashLine (line: string, salt: number): number {
  let hash = salt
  for (let i = 0; i < line.length; i++) hash = (Math.imul(hash, 31) + line.charCodeAt(i)) >>> 0
  return hash
}

/** For each line of the newer revision: its index in the older one, or -1 if it is new. */
export function diffRevisions (older: Revision, newer: Revision): Int32Array {
  const lengths = longestCommonSubsequence(older, newer)
  return matchLines(older, newer, lengths)
}

/** The textbook's table: at [i, j] the length of the longest common subsequence of older[i…] and newer[j…]. */
export function longestCommonSubsequence (older: Revision, newer: Revision): Uint32Array {
  const width = newer.length + 1
  const lengths = new Uint32Array((older.length + 1) * width)
  for (let i = older.length - 1; i >= 0; i--) {
    for (let j = newer.length - 1; j >= 0; j--) {
      const at = i * width + j
      lengths[at] = sameLine(older[i] ?? '', newer[j] ?? '')
        ? (lengths[at + width + 1] ?? 0) + 1
        : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0)
    }
  }
  return lengths
}

function sameLine (older: string, newer: string): boolean {
  return older.trimEnd() === newer.trimEnd()
}

function matchLines (older: Revision, newer: Revision, lengths: Uint32Array): Int32Array {
  const width = newer.length + 1
  const kept = new Int32Array(newer.length).fill(-1)
  for (let i = 0, j = 0; i < older.length && j < newer.length;) {
    const at = i * width + j
    if (sameLine(older[i] ?? '', newer[j] ?? '')) kept[j++] = i++
    else if ((lengths[at + width] ?? 0) >= (lengths[at + 1] ?? 0)) i++
    else j++
  }
  return kept
}

function carryBlame (before: readonly BlameLine[], lines: Revision, kept: Int32Array, revision: number): BlameLine[] {
  return lines.map((text, index) => ({ revision: before[kept[index] ?? -1]?.revision ?? revision, text }))
}
