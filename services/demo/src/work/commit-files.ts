import type { NewCommit } from '../store.ts'

/** A file of commits can't be read; the message says where. */
export class CommitFileError extends Error {
  override readonly name = 'CommitFileError'
  readonly code = 'DEMO_COMMIT_FILE_INVALID'
  readonly statusCode = 400
}

/** Reads commits from JSON (`{ "commits": [...] }` or a list) or CSV with a header line; the text tells which it is. */
export function parseCommitFile (text: string): NewCommit[] {
  return /^\s*[[{]/.test(text) ? parseJson(text) : parseCsv(text)
}

function parseJson (text: string): NewCommit[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new CommitFileError(`The file is no JSON: ${(error as Error).message}`)
  }
  return checkCommits(value)
}

/** Commits out of a parsed JSON value, `{ commits: [...] }` or a list. */
export function checkCommits (value: unknown): NewCommit[] {
  const list = Array.isArray(value) ? value : (value as { commits?: unknown } | null | undefined)?.commits
  if (!Array.isArray(list)) throw new CommitFileError('Send JSON { "commits": [...] }, or a multipart form with a file of JSON or CSV.')
  return list.map((entry, index) => checkCommit(entry, `commit ${index + 1}`))
}

function parseCsv (text: string): NewCommit[] {
  const [header, ...rows] = splitCsv(text)
  if (!header?.includes('repository')) throw new CommitFileError('The first line must name the columns: repository,author,message,committedAt')
  return rows.map((cells, index) => {
    const entry = Object.fromEntries(header.map((name, column) => [name, cells[column] || undefined]))
    return checkCommit(entry, `line ${index + 2}`)
  })
}

/** RFC 4180: cells may be quoted, and then hold commas, line ends and doubled quotes. Empty lines are left out. */
function splitCsv (text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (quoted) {
      if (character !== '"') cell += character
      else if (text[at + 1] === '"') cell += text.charAt(at++)
      else quoted = false
    } else if (character === '"') {
      quoted = true
    } else if (character === ',') {
      row.push(cell)
      cell = ''
    } else if (character === '\n') {
      rows.push([...row, cell])
      row = []
      cell = ''
    } else if (character !== '\r') {
      cell += character
    }
  }
  if (quoted) throw new CommitFileError('The file ends inside a quoted cell.')
  rows.push([...row, cell])
  return rows.filter(cells => cells.some(content => content !== ''))
}

function checkCommit (entry: unknown, where: string): NewCommit {
  const { repository, author, message, committedAt } = (entry ?? {}) as Record<string, unknown>
  const text = (value: unknown, name: string) => {
    if (typeof value !== 'string' || value === '') throw new CommitFileError(`${where}: «${name}» is missing.`)
    if (value.includes('\0')) throw new CommitFileError(`${where}: «${name}» holds a NUL character, which PostgreSQL can't store.`)
    return value
  }
  if (committedAt !== undefined && (typeof committedAt !== 'string' || Number.isNaN(Date.parse(committedAt)))) {
    throw new CommitFileError(`${where}: «committedAt» is no date.`)
  }
  return { repository: text(repository, 'repository'), author: text(author, 'author'), message: text(message, 'message'), committedAt }
}
