import { createRandom } from '../random.ts'
import { makeMessage } from '../seed.ts'
import { crew, repositories } from '../seed-data.ts'
import { prefersHtml } from '../negotiate.ts'
import { formatNumber, sendPage } from '../pages/layout.ts'
import { messagePage } from '../pages/message.ts'
import { insertCommits, loadFiles } from '../store.ts'
import { countAuthorsOneByOne } from '../work/authors.ts'
import { annotateUntil } from '../work/burn.ts'
import { checkCommits, CommitFileError, parseCommitFile } from '../work/commit-files.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../database.ts'
import type { NewCommit } from '../store.ts'

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength, pattern: '^[^\\u0000]+$' })

const newCommits = {
  type: 'object',
  required: ['commits'],
  properties: {
    commits: {
      type: 'array',
      items: {
        type: 'object',
        required: ['repository', 'author', 'message'],
        properties: {
          repository: text(200),
          author: text(200),
          message: text(10_000),
          committedAt: { type: 'string', format: 'date-time' }
        }
      }
    }
  }
}

const integer = (minimum: number, maximum: number, value: number) => ({ type: 'integer', minimum, maximum, default: value })

/** Routes that are slow, each for a reason of its own: real work, no sleeps. */
export function addSlowRoutes (app: FastifyInstance, database: Database): void {
  app.get<{ Querystring: { ms: number } }>('/slow/cpu', {
    schema: { querystring: { type: 'object', properties: { ms: integer(1, 600_000, 500) } } }
  }, async function annotateFiles (request, reply) {
    const files = await loadFiles(database, 60)
    const result = annotateUntil(files, request.query.ms)
    return answer(request, reply, result,
      `Annotated ${formatNumber(result.files)} files with ${formatNumber(result.lines)} lines, in ${formatNumber(result.cpuMs)} ms of CPU time.`)
  })

  app.get<{ Querystring: { n: number } }>('/slow/queries', {
    schema: { querystring: { type: 'object', properties: { n: integer(1, 100_000, 200) } } }
  }, async function countAuthors (request, reply) {
    const { n } = request.query
    const authors = await countAuthorsOneByOne(database, n)
    return answer(request, reply, { queries: n, authors },
      `Asked ${formatNumber(n)} times; ${authors[0]?.author ?? 'nobody'} has the most commits.`)
  })

  app.post('/slow/import', {
    // By content type: a multipart body is read in the handler.
    schema: { body: { content: { 'application/json': { schema: newCommits } } } }
  }, async function importCommits (request, reply) {
    const commits = request.isMultipart() ? await readUpload(request) : checkCommits(request.body)
    const imported = await insertCommits(database, commits)
    return answer(request, reply, { imported }, `Imported ${formatNumber(imported)} commits.`)
  })

  app.get('/slow/import/sample.csv', async (_request, reply) => reply.type('text/csv; charset=utf-8').send(sampleFile(500)))
}

async function readUpload (request: FastifyRequest): Promise<NewCommit[]> {
  const file = await request.file()
  if (!file) throw new CommitFileError('The form has no file.')
  return parseCommitFile((await file.toBuffer()).toString('utf8'))
}

function answer (request: FastifyRequest, reply: FastifyReply, result: object, sentence: string) {
  return prefersHtml(request.headers.accept, 'json') ? sendPage(reply, messagePage(request.user, 'Done', sentence)) : result
}

function sampleFile (rows: number): string {
  const random = createRandom(rows)
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`
  const lines = Array.from({ length: rows }, () => [
    random.pick(repositories).name,
    random.pick(crew),
    makeMessage(random),
    new Date(Date.UTC(2026, random.below(10), 1 + random.below(28), random.below(24))).toISOString()
  ].map(quote).join(','))
  return ['repository,author,message,committedAt', ...lines, ''].join('\r\n')
}
