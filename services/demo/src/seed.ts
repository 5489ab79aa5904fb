import { createRandom } from './random.ts'
import { crew, folders, messages, parts, repositories, verbs } from './seed-data.ts'
import type { ClientBase } from 'pg'
import type { Random } from './random.ts'

const filesPerRepository = 36
const minute = 60_000

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

/** Fills the empty tables: 12 repositories, about 2,000 commits before `now`, 432 files. */
export async function seed (client: ClientBase, now: Date): Promise<void> {
  const random = createRandom(74205)
  for (const repository of repositories) {
    const { rows } = await client.query<{ id: number }>(
      'INSERT INTO demo.repositories (name, description, language, ship) VALUES ($1, $2, $3, $4) RETURNING id',
      [repository.name, repository.description, repository.language, repository.ship])
    const id = rows[0]?.id
    const files = makeFiles(random, repository.language === 'TypeScript' ? 'ts' : 'js')
    await client.query(
      'INSERT INTO demo.files (repository_id, path, content) SELECT $1, path, content FROM unnest($2::text[], $3::text[]) AS f (path, content)',
      [id, files.map(file => file.path), files.map(file => file.content)])
    const commits = makeCommits(random, files.map(file => file.path), now)
    // One JSON document: PostgreSQL's arrays can't hold lists of different lengths.
    await client.query(
      `INSERT INTO demo.commits (id, repository_id, author, message, committed_at, paths)
       SELECT id, $1, author, message, committed_at, paths
       FROM json_to_recordset($2::json) AS c (id text, author text, message text, committed_at timestamptz, paths text[])`,
      [id, JSON.stringify(commits)])
  }
}

interface SeedFile { path: string, content: string }

function makeFiles (random: Random, extension: string): SeedFile[] {
  const files = new Map<string, SeedFile>()
  while (files.size < filesPerRepository) {
    const part = random.pick(parts)
    const folder = random.pick(folders)
    const suffix = folder === 'test' ? 'test.' : ''
    const path = `${folder}/${part}-${random.pick(parts)}.${suffix}${extension}`
    if (!files.has(path)) files.set(path, { path, content: makeSource(random, part, extension === 'ts') })
  }
  return [...files.values()]
}

function makeSource (random: Random, part: string, typed: boolean): string {
  const type = (name: string) => typed ? `: ${name}` : ''
  const lines = [`// ${capitalised(part)} control. Do not change without asking engineering.`, '']
  for (let i = 0; i < 2 + random.below(3); i++) {
    const imported = random.pick(parts)
    lines.push(`import { ${random.pick(verbs)}${capitalised(imported)} } from '../${imported}.js'`)
  }
  lines.push('', `const LIMIT = ${random.below(10_000)}`, '')
  for (let i = 0; i < 5 + random.below(8); i++) {
    const [verb, first, second] = [random.pick(verbs), random.pick(parts), random.pick(parts)]
    lines.push(
      `/** ${capitalised(verb)}s the ${first} while the ${second} is at ${random.below(100)} percent. */`,
      `export function ${verb}${capitalised(first)}${i} (${second}${type('number[]')}, limit${type('number')} = LIMIT)${type('number')} {`,
      `  let ${first} = ${random.below(500)}`,
      `  for (const level of ${second}) {`)
    for (let depth = 0; depth < 1 + random.below(4); depth++) {
      lines.push(`    if (level > limit / ${1 + random.below(9)}) ${first} += level * ${random.below(1000) / 100} // "${random.pick(verbs)}"`)
    }
    lines.push(`    if (${first} > limit) throw new Error('${capitalised(first)} breach in ' + ${first} + ' seconds')`, '  }', `  return ${first}`, '}', '')
  }
  return lines.join('\n')
}

/** What somebody might write who has just mended a starship. */
export function makeMessage (random: Random): string {
  return capitalised(random.pick(messages)
    .replace(/\{part\}/g, () => random.pick(parts))
    .replace(/\{verb\}/g, () => random.pick(verbs)))
}

function makeCommits (random: Random, paths: readonly string[], now: Date) {
  let time = now.getTime() - random.below(600) * minute
  return Array.from({ length: 140 + random.below(56) }, () => {
    time -= (5 + random.below(4_000)) * minute
    return {
      id: random.hex(40),
      author: random.pick(crew),
      message: makeMessage(random),
      committed_at: new Date(time).toISOString(),
      paths: [...new Set(Array.from({ length: 1 + random.below(5) }, () => random.pick(paths)))].sort()
    }
  })
}
